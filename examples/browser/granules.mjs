// A map of the granules that a query finds, from files on any web server: no server answers the query, this page does.
//
// `npm run build`, `npm run demo`, and in the clone `python3 -m http.server 8080`; then open
// http://127.0.0.1:8080/examples/browser/ (?source=URL names other data, relative to this page or anywhere with CORS).

import * as zarr from "zarrita";
import { cellAt, open, textCell } from "zarrsift";

const form = document.forms[0];
const { source, sql, arrays, stop, status } = form.elements;
const canvas = document.querySelector("canvas");
const table = document.querySelector("#granules");
const map = canvas.getContext("2d");

const asked = new URLSearchParams(location.search);
// A view of a zarrsift server is a Zarr collection like any other: here all that `npm run demo` has.
source.value =
  asked.get("source") ?? "http://127.0.0.1:8000/collections/demo/sql/SELECT%20*%20FROM%20meta/v3";
sql.value =
  asked.get("sql") ??
  `SELECT date, platform, day_night, cloud_cover, bbox FROM meta
WHERE date < TIMESTAMP '2025-07-01 00:00:00'
  AND ST_Intersects(bbox, ST_MakeEnvelope(-30, -40, 60, 30))
ORDER BY cloud_cover`;
arrays.value = asked.get("arrays") ?? "sea_surface_temperature, lat, lon";

const traffic = { requests: 0, bytes: 0 };
let opened = {};
let running = new AbortController();

/** Runs `work`, and stops what ran before; what went wrong is told. */
async function run(work) {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const [started, { requests, bytes }] = [performance.now(), traffic];
  status.value = "…";
  try {
    const done = await work(signal);
    const cost = `${traffic.requests - requests} requests, ${((traffic.bytes - bytes) / 1000).toFixed(0)} kB`;
    status.value = `${done} (${cost}, ${((performance.now() - started) / 1000).toFixed(1)} s)`;
  } catch (error) {
    if (!signal.aborted) status.value = error.message;
    else if (running.signal === signal) status.value = "stopped";
  }
}

/** The collection, opened once for each source. */
async function collection(signal) {
  const url = new URL(source.value, document.baseURI).href;
  if (opened.url !== url) opened = { url, collection: await open(url, { total: traffic, signal }) };
  return opened.collection;
}

/** Asks the SQL: rows in the table, outlines on the map. */
async function find(signal) {
  const { columns, rowQuery, batches } = await (await collection(signal)).query(sql.value, { signal });
  const rows = [];
  for await (const { length, vectors, idx } of batches()) {
    for (let i = 0; i < length; i++) {
      rows.push({
        idx: rowQuery ? idx[i] : undefined,
        cells: vectors.map((vector) => textCell(cellAt(vector, i), vector.type)),
      });
    }
  }
  const outlines = columns.findIndex(({ type }) => type.kind === "geometry");
  drawMap();
  for (const { cells } of rows) if (outlines >= 0) drawOutline(cells[outlines]);
  list(columns, rows);
  return `${rows.length} granules`;
}

function list(columns, rows) {
  table.replaceChildren(document.createElement("thead"), document.createElement("tbody"));
  const head = table.tHead.insertRow();
  for (const { name } of columns)
    head.append(Object.assign(document.createElement("th"), { textContent: name }));
  for (const { idx, cells } of rows) {
    const row = table.tBodies[0].insertRow();
    for (const cell of cells) row.insertCell().textContent = cell;
    if (idx === undefined) continue;
    row.tabIndex = 0;
    row.onclick = () => run((signal) => drawGranule(idx, signal));
    row.onkeydown = ({ key }) => key === "Enter" && row.click();
  }
}

/** Draws a granule's cells, read by zarrita from a view that holds only this granule. */
async function drawGranule(idx, signal) {
  const view = await (await collection(signal)).view([idx], { signal });
  const root = zarr.root(view.store(3));
  const read = async (path) => {
    const array = await zarr.open.v3(root.resolve(path), { kind: "array" });
    return { attrs: array.attrs, data: (await zarr.get(array, null, { opts: { signal } })).data };
  };
  const [path] = (await read("meta/array_location")).data;
  const names = arrays.value.split(",").map((name) => `${path}/${name.trim()}`);
  const [values, lat, lon] = await Promise.all(names.map(read));
  const { _FillValue, scale_factor = 1, add_offset = 0, units = "" } = values.attrs;
  const cells = Array.from(values.data, (value, k) => ({
    value: value * scale_factor + add_offset,
    k,
  })).filter(({ value, k }) => values.data[k] !== _FillValue && !Number.isNaN(value));
  const least = cells.reduce((low, { value }) => Math.min(low, value), Infinity);
  const most = cells.reduce((high, { value }) => Math.max(high, value), -Infinity);
  for (const { value, k } of cells) {
    map.fillStyle = `hsl(${240 - (240 * (value - least)) / (most - least || 1)} 90% 55%)`;
    map.fillRect(lon.data[k] - 0.4, lat.data[k] - 0.4, 0.8, 0.8);
  }
  const range = cells.length > 0 ? `: ${least.toFixed(2)} to ${most.toFixed(2)} ${units}` : "";
  return `granule ${idx}, ${cells.length} cells${range}`;
}

/** An empty map: degrees, north up. */
function drawMap() {
  map.resetTransform();
  map.clearRect(0, 0, canvas.width, canvas.height);
  map.setTransform(canvas.width / 360, 0, 0, -canvas.height / 180, canvas.width / 2, canvas.height / 2);
  map.lineWidth = 0.2;
  map.strokeStyle = "#35506a";
  for (let lon = -180; lon <= 180; lon += 30)
    line([
      [lon, -90],
      [lon, 90],
    ]);
  for (let lat = -90; lat <= 90; lat += 30)
    line([
      [-180, lat],
      [180, lat],
    ]);
}

/** The rings of a WKT geometry; what lies beyond ±180° is drawn on the other side, too. */
function drawOutline(wkt) {
  map.strokeStyle = "#f5a623aa";
  for (const [, ring] of wkt.matchAll(/\(([^()]+)\)/g)) {
    const points = ring.split(",").map((point) => point.trim().split(" ").map(Number));
    for (const turn of [-360, 0, 360]) line(points.map(([lon, lat]) => [lon + turn, lat]));
  }
}

function line(points) {
  map.beginPath();
  for (const [lon, lat] of points) map.lineTo(lon, lat);
  map.stroke();
}

form.onsubmit = (event) => {
  event.preventDefault();
  history.replaceState(
    null,
    "",
    `?${new URLSearchParams({ source: source.value, sql: sql.value, arrays: arrays.value })}`,
  );
  run(find);
};
stop.onclick = () => running.abort();
drawMap();
run(find);
