/** A view that was made, and a granule in it to show. */
export interface DemoView {
  /** Base of its v3 face. */
  url: string;
  count: number;
  /** Path of the granule's group, without a leading slash. */
  granule: string;
}

/** Lines to paste into Python and JavaScript, each of which opens the view and reads a real variable, and into a shell. */
export function openingLines({ url, count, granule }: DemoView): string {
  return `These ${count} granules are now a Zarr store of their own: ${url}

Python (pip install xarray zarr fsspec aiohttp):
  import xarray as xr
  ds = xr.open_zarr("${url}", group="${granule}", zarr_format=3)
  print(ds.attrs["date"], ds.attrs["cloud_cover"], float(ds.sea_surface_temperature.mean()), "K")

JavaScript (npm install zarrita; in a file that ends in .mjs):
  import * as zarr from "zarrita";
  const sst = await zarr.open.v3(new zarr.FetchStore("${url}/${granule}/sea_surface_temperature"), { kind: "array" });
  console.log(sst.attrs.date, sst.attrs.cloud_cover, sst.shape, (await zarr.get(sst)).data);

A copy of them (zarrsift is node dist/cli/main.js in a clone):
  zarrsift export "SELECT * FROM meta" ${url} --to zarr granules.zarr
`;
}
