import { ZarrsiftError } from "../errors.ts";

/** Where a source is, `#REF` taken off. */
export type Location =
  | { kind: "directory"; path: string; ref: string | undefined }
  | { kind: "file"; path: string; ref: string | undefined }
  | { kind: "http"; url: string; ref: string | undefined }
  | { kind: "s3"; url: string; ref: string | undefined };

/**
 * Takes a SOURCE apart: a path, or a `file:`, `http:`, `https:` or `s3:` URL, with `#REF` behind it. A path that is there
 * as it is written has no ref, whatever it holds.
 *
 * @throws ZarrsiftError `source_not_found` for a path where nothing is, `bad_request`
 */
export async function locate(source: string): Promise<Location> {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(source)?.[1]?.toLowerCase();
  if (scheme === "http" || scheme === "https") return splitUrl(source);
  if (scheme === "s3") return { ...splitUrl(source), kind: "s3" };
  if (scheme === "file") {
    const { url, ref } = splitUrl(source);
    return { ...(await present(await pathOf(url))), ref };
  }
  if (scheme !== undefined && source.startsWith("//", scheme.length + 1)) {
    throw new ZarrsiftError(
      "bad_request",
      `${scheme}: sources are not supported; a path, or a file:, http:, https: or s3: URL is expected`,
    );
  }
  return splitPath(source);
}

function splitUrl(source: string): Location & { kind: "http" } {
  const at = source.indexOf("#");
  const url = at < 0 ? source : source.slice(0, at);
  return { kind: "http", url, ref: at < 0 ? undefined : decoded(source.slice(at + 1)) };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text) || undefined;
  } catch {
    return text;
  }
}

async function splitPath(source: string): Promise<Location> {
  const at = source.lastIndexOf("#");
  const { pathKind } = await files();
  if (at <= 0 || (await pathKind(source))) return { ...(await present(source)), ref: undefined };
  return { ...(await present(source.slice(0, at))), ref: source.slice(at + 1) || undefined };
}

async function pathOf(url: string): Promise<string> {
  const { urlPath } = await files();
  try {
    return urlPath(url);
  } catch (error) {
    throw new ZarrsiftError("bad_request", `${url} is no URL of a local file`, { cause: error });
  }
}

/** `path`, at which something must be. */
async function present(path: string): Promise<{ kind: "directory" | "file"; path: string }> {
  const kind = await (await files()).pathKind(path);
  if (kind) return { kind, path };
  throw new ZarrsiftError(
    "source_not_found",
    `${path} is not there: a Zarr hierarchy, an Icechunk repository, a zip archive or a reference file is expected`,
  );
}

/** Loaded only where a path is to be read, so that all else runs in a browser. */
async function files(): Promise<typeof import("./file.ts")> {
  if (typeof process === "object" && process.versions?.node) return import("./file.ts");
  throw new ZarrsiftError(
    "bad_request",
    "Directories can be read in Node only; here an http: or https: URL is expected",
  );
}

/** Where the folder of an object is, and the object's key there; `undefined` for what is called a folder. */
export async function splitObject(
  location: Location,
): Promise<{ folder: Location; key: string } | undefined> {
  if (location.kind === "directory") return undefined;
  if (location.kind === "file") {
    const { folder, name } = await (await files()).splitPath(location.path);
    return { folder: { ...location, kind: "directory", path: folder }, key: name };
  }
  const match = /^([^?]*)\/([^/?]+)(\?.*)?$/.exec(location.url);
  if (!match || /\/$/.test(match[1]!)) return undefined;
  const [, folder, name, query = ""] = match;
  const key = location.kind === "http" ? decoded(name!) : name;
  return key === undefined ? undefined : { folder: { ...location, url: folder + query }, key };
}

/** URL of the folder that a source is in, a slash at its end. Local paths are taken as they are, not percent-encoded. */
export async function folderUrl(location: Location): Promise<string> {
  if ("path" in location) return `file://${(await files()).absoluteFolder(location.path)}/`;
  return `${location.url
    .replace(/\?.*$/, "")
    .replace(/\/+$/, "")
    .replace(/\/[^/]*$/, "")}/`;
}
