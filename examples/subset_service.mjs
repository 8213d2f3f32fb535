// A tiny subsetting service on the library, no zarrsift server needed: a box and a time in, statistics out.
//
//   npm run build && node examples/subset_service.mjs path/to/collection.zarr 8080
//   curl 'http://127.0.0.1:8080/?bbox=0,0,10,10&datetime=2025-06-01T00:00:00Z/2025-07-01T00:00:00Z'
import { createServer } from "node:http";
import * as zarr from "zarrita";
import { open } from "zarrsift";

const [source, port = "8080"] = process.argv.slice(2);
const collection = await open(source);

const server = createServer(async (request, response) => {
  const query = new URL(request.url, "http://localhost").searchParams;
  const send = (status, body) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  try {
    const bbox = (query.get("bbox") ?? "-180,-90,180,90").split(",").map(Number);
    send(200, await statistics(bbox, query.get("datetime") ?? undefined));
  } catch (error) {
    // zarrsift's errors say what was wrong with the request, and which HTTP status fits.
    send(error.status ?? 500, { code: error.code, error: error.message });
  }
});
server.listen(Number(port), "127.0.0.1", () =>
  console.log(`listening on http://127.0.0.1:${server.address().port}`),
);

/** Sea surface temperatures inside the box, granule by granule. */
async function statistics(bbox, datetime) {
  const view = await collection.view("SELECT granule_id, date FROM meta ORDER BY date", { bbox, datetime });
  // The view is a Zarr store in this process; zarrita reads it like any other.
  const root = zarr.root(view.store(3));
  const read = async (path) => {
    const array = await zarr.open.v3(root.resolve(path), { kind: "array" });
    return { attrs: array.attrs, data: (await zarr.get(array)).data };
  };
  const granules = [];
  if (view.count === 0) return { bbox, datetime, granules };
  for (const path of (await read("meta/array_location")).data) {
    const [lat, lon, sst] = await Promise.all(
      ["lat", "lon", "sea_surface_temperature"].map((name) => read(`${path}/${name}`)),
    );
    const { _FillValue, scale_factor, add_offset, granule_id, date } = sst.attrs;
    const kelvin = Array.from(sst.data)
      .filter((packed, k) => packed !== _FillValue && contains(bbox, lon.data[k], lat.data[k]))
      .map((packed) => packed * scale_factor + add_offset);
    const mean = kelvin.length > 0 ? kelvin.reduce((a, b) => a + b) / kelvin.length : null;
    granules.push({ granule_id, date, cells: kelvin.length, mean });
  }
  return { bbox, datetime, granules };
}

function contains([west, south, east, north], lon, lat) {
  const between = west <= east ? lon >= west && lon <= east : lon >= west || lon <= east;
  return between && lat >= south && lat <= north;
}
