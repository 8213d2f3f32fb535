/** Absolute URLs in answers, and the lines of code that open a view. */
import type { FastifyRequest } from "fastify";
import { ZarrsiftError } from "../errors.ts";
import type { Layout } from "../view/api.ts";

const HOST = /^(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** How a view is reached and opened. */
export interface ViewLinks {
  v3: string;
  v2: string;
  python: string;
  javascript: string;
}

/** `url` without a slash at its end. @throws ZarrsiftError `bad_parameter` where it is no http(s) URL */
export function checkPublicUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.search || parsed.hash) {
    throw new ZarrsiftError(
      "bad_parameter",
      `The public URL must be an http(s) URL without query, not ${url}`,
    );
  }
  return parsed.href.replace(/\/+$/, "");
}

/**
 * Base of this server's URLs as the client sees them.
 * @throws ZarrsiftError `bad_request` where the Host header is no host
 */
export function baseUrl(request: FastifyRequest, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl;
  if (!HOST.test(request.host)) {
    throw new ZarrsiftError("bad_request", "The Host header names no host, so no URL can be made of it.");
  }
  return `${request.protocol === "https" ? "https" : "http"}://${request.host}`;
}

/** The URLs of a view's faces below `base`, and the lines that open it. */
export function viewLinks(base: string, id: string, layout: Layout, groupBy?: "encoding"): ViewLinks {
  const v3 = `${base}/views/${id}/v3`;
  const v2 = `${base}/views/${id}/v2`;
  return { v3, v2, python: pythonLines(v3, layout, groupBy), javascript: javascriptLines(v3) };
}

/** A stacked view is a data set, or a tree of them; one of granules is a tree of groups. */
function pythonLines(v3: string, layout: Layout, groupBy: "encoding" | undefined): string {
  if (groupBy) return `import xarray as xr\ntree = xr.open_datatree("${v3}", engine="zarr", zarr_format=3)`;
  if (layout !== "granules") return `import xarray as xr\nds = xr.open_zarr("${v3}", zarr_format=3)`;
  return `import zarr\nroot = zarr.open_group("${v3}", mode="r", zarr_format=3)`;
}

function javascriptLines(v3: string): string {
  return [
    `import * as zarr from "zarrita";`,
    `const store = await zarr.withMaybeConsolidatedMetadata(new zarr.FetchStore("${v3}"), { format: "v3" });`,
    `const root = await zarr.open.v3(store, { kind: "group" });`,
  ].join("\n");
}
