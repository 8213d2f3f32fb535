// Read the granules that a query finds in JavaScript, with zarrita: in Node here, the same in a browser.
//
// Start the demo first (`npm run demo`), then: node examples/zarrita_view.mjs
import * as zarr from "zarrita";

const server = process.argv[2] ?? "http://127.0.0.1:8000";

// A view is made by POST. The columns that the query selects become attributes of every granule.
const response = await fetch(`${server}/collections/demo/views`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    sql: "SELECT date, platform, orbit FROM meta WHERE platform = $1 AND cloud_cover < 50 ORDER BY date",
    params: ["Kittiwake-B"],
    bbox: [150, -40, -150, 40], // west > east: across the antimeridian
  }),
});
const view = await response.json();
if (!response.ok) throw new Error(view.detail);
console.log(`${view.count} granules at ${view.v3}`);

// The view's metadata is consolidated: one request brings all of it.
const store = await zarr.withConsolidatedMetadata(new zarr.FetchStore(view.v3), { format: "v3" });
const root = zarr.root(store);
const locations = await zarr.get(await zarr.open.v3(root.resolve("meta/array_location"), { kind: "array" }));

for (const location of locations.data) {
  const path = `${location}/sea_surface_temperature`;
  const sst = await zarr.open.v3(root.resolve(path), { kind: "array" });
  const { data } = await zarr.get(sst);
  // zarrita gives packed numbers: leave out the fill value, and unpack.
  const { date, platform, orbit, _FillValue, scale_factor, add_offset } = sst.attrs;
  const celsius = Array.from(data)
    .filter((packed) => packed !== _FillValue)
    .map((packed) => packed * scale_factor + add_offset - 273.15);
  const mean = celsius.reduce((sum, value) => sum + value, 0) / celsius.length;
  console.log(date, platform, `orbit ${orbit}`, `${mean.toFixed(2)} °C in ${celsius.length} cells`);
}
