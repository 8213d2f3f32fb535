/** Lines of Python that open what was exported. */
import type { S3Options } from "../index.ts";
import type { Face } from "../view/api.ts";
import type { View } from "../view/view.ts";
import { ambientS3 } from "./aws.ts";

interface Opening {
  /** Modules to import besides. */
  imports?: readonly string[];
  /** Lines before it. */
  before?: readonly string[];
  /** What is opened, as Python says it. */
  store: string;
  /** Further arguments, of both zarr and xarray. */
  options?: readonly string[];
  /** Further arguments of xarray. */
  xarray?: readonly string[];
}

/** Granules are groups apart; stacked, they are one data set, or one for each encoding. */
export function openingLines({ layout, definition }: View, format: Face, opening: Opening): string {
  const { imports = [], before = [], store, options = [], xarray = [] } = opening;
  const isGranules = layout === "granules";
  const modules = [...imports, isGranules ? "zarr" : "xarray as xr"].join(", ");
  const common = [`zarr_format=${format}`, ...options];
  const tree = definition.groupBy ? "open_datatree" : "open_dataset";
  const open = isGranules
    ? `root = zarr.open_group(${[store, 'mode="r"', ...common].join(", ")})`
    : `ds = xr.${tree}(${[store, 'engine="zarr"', ...xarray, ...common].join(", ")})`;
  return [`import ${modules}`, ...before, open].join("\n");
}

/** Opens a copy as plain Zarr. */
export function zarrLines(place: string, view: View, format: Face, consolidated: boolean): string {
  const options = isS3(place) ? [`storage_options={${s3fsOptions()}}`] : [];
  const xarray = consolidated ? [] : ["consolidated=False"];
  return openingLines(view, format, { store: text(place), options, xarray });
}

/** Opens a copy as an Icechunk repository. */
export function icechunkLines(place: string, view: View): string {
  const storage = isS3(place)
    ? `s3_storage(${s3Arguments(place)})`
    : `local_filesystem_storage(${text(place)})`;
  return openingLines(view, 3, {
    imports: ["icechunk"],
    before: [`repo = icechunk.Repository.open(icechunk.${storage})`],
    store: 'repo.readonly_session("main").store',
    xarray: ["consolidated=False"],
  });
}

/** How s3fs reads S3: as it was read and written here. */
export function s3fsOptions({ endpoint, credentials }: S3Options = ambientS3()): string {
  const where = endpoint === undefined ? "" : `, "endpoint_url": ${text(endpoint)}`;
  return `"anon": ${credentials ? "False" : "True"}${where}`;
}

function s3Arguments(place: string): string {
  const { endpoint, region, credentials } = ambientS3();
  const [bucket, ...prefix] = place.replace(/^s3:\/\//i, "").split("/");
  const own = endpoint === undefined ? [] : [`endpoint_url=${text(endpoint)}`, "force_path_style=True"];
  return [
    `bucket=${text(bucket!)}`,
    `prefix=${text(prefix.join("/").replace(/\/+$/, ""))}`,
    credentials ? "from_env=True" : "anonymous=True",
    `region=${text(region ?? "us-east-1")}`,
    ...own,
    ...(endpoint?.startsWith("http:") ? ["allow_http=True"] : []),
  ].join(", ");
}

const isS3 = (place: string) => /^s3:/i.test(place);

/** A text as Python writes it too. */
const text = (value: string) => JSON.stringify(value);
