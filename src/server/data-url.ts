/**
 * The grammar of URLs below which Zarr keys are served, read from the raw, undecoded request target:
 *
 * ```
 * /views/{id}/{v3|v2}[/{key}]
 * /collections/{name}[@{ref}]/sql/{SQL}/{v3|v2}[/{key}]
 * /collections/{name}[@{ref}]/sql64/{base64url of SQL}/{v3|v2}[/{key}]
 * ```
 *
 * Every segment is decoded exactly once. What is no key is refused with 400, never read as another key and never
 * answered 404, which clients turn into fill values.
 */
import { ZarrsiftError } from "../errors.ts";
import type { Face } from "../view/api.ts";

/** Where a data URL leads. `key` is decoded, without slashes at its ends; "" is the root. */
export type DataUrl = DataTarget & {
  face: Face;
  key: string /** Written with a slash at its end. */;
  slash: boolean;
};

export type DataTarget =
  | { kind: "view"; id: string }
  | { kind: "sql"; collection: string; ref: string | undefined; sql: string };

/** Whether this target belongs to the grammar, well-formed or not. */
export function isDataUrl(target: string): boolean {
  return DATA_URL.test(target);
}

/** The path of a request target, which proxies may write with a scheme and host. */
export function pathOf(target: string): string {
  return target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?#]*/i, "") || "/";
}

const DATA_URL =
  /^\/(?:views\/[^/?]+\/(?!kerchunk\.json(?:\?|$))[^?]|collections\/[^/?]+\/sql(?:64)?(?:[/?]|$))/;
/** As nearly all are: nothing to decode, nothing to refuse. */
const PLAIN = /^\/views\/([\w-]+)\/v([23])\/((?:\.?[\w-][\w.-]*\/)*\.?[\w-][\w.-]*)$/;
const HEAD = /^\/(?:views\/([^/]+)|collections\/([^/]+)\/(sql|sql64)\/(.*?))\/v([23])(?=\/|$)/;

/**
 * @param maxSqlBytes limit of the SQL text, in UTF-8 bytes
 * @throws ZarrsiftError `bad_request`, `url_too_long`
 */
export function parseDataUrl(target: string, maxSqlBytes: number): DataUrl {
  const plain = PLAIN.exec(target);
  if (plain)
    return { kind: "view", id: plain[1]!, face: plain[2] === "2" ? 2 : 3, key: plain[3]!, slash: false };
  if (/[^\x21-\x7e]/.test(target)) throw bad("holds characters that must be percent-encoded");
  const [path, query] = cut(target, "?");
  if (query?.includes("/")) {
    throw bad("has a query string in front of the key; what a client must send belongs in a header");
  }
  const head = HEAD.exec(path);
  if (!head) throw bad("names no face of the view: its base URL ends with /v3 or /v2");
  const [whole, id, collection, form, sql, face] = head;
  const where: DataTarget =
    id !== undefined
      ? { kind: "view", id: decodeSegment(id) }
      : { kind: "sql", ...parseName(collection!), sql: parseSql(form!, sql!, maxSqlBytes) };
  return { ...where, face: face === "2" ? 2 : 3, ...parseKey(path.slice(whole.length)) };
}

/** `name@ref`, decoded; a name holds no `@`, a branch may hold slashes. */
function parseName(segment: string): { collection: string; ref: string | undefined } {
  const [collection, ref] = cut(decode(segment), "@");
  return { collection, ref };
}

function parseSql(form: string, text: string, maxBytes: number): string {
  if (text.includes("/")) throw bad("holds a / inside the SQL, where it must be written %2F");
  if (text.length > maxBytes * 3) throw tooLong(maxBytes);
  const sql = form === "sql" ? decode(text) : decodeBase64Url(text);
  if (Buffer.byteLength(sql) > maxBytes) throw tooLong(maxBytes);
  if (sql.trim() === "") throw bad("holds no SQL");
  return sql;
}

function decodeBase64Url(text: string): string {
  const digits = decode(text).replace(/={1,2}$/, "");
  if (!/^[\w-]*$/.test(digits) || digits.length % 4 === 1) throw bad("holds SQL that is not base64url");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(digits, "base64url"),
    );
  } catch {
    throw bad("holds base64url that is not UTF-8 text");
  }
}

function parseKey(rest: string): { key: string; slash: boolean } {
  if (rest === "" || rest === "/") return { key: "", slash: rest !== "" };
  const slash = rest.endsWith("/");
  const segments = rest.slice(1, slash ? -1 : undefined).split("/");
  return { key: segments.map(decodeSegment).join("/"), slash };
}

function decodeSegment(segment: string): string {
  const text = segment.includes("%") ? decode(segment) : segment;
  if (text === "" || text === "." || text === "..")
    throw bad(`holds the empty or relative segment "${text}"`);
  if (/[/\0]/.test(text)) throw bad(`holds an encoded slash or NUL in ${JSON.stringify(segment)}`);
  return text;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad("holds percent-encoding that is not UTF-8 text");
  }
}

function cut(text: string, at: string): [string, string | undefined] {
  const i = text.indexOf(at);
  return i < 0 ? [text, undefined] : [text.slice(0, i), text.slice(i + 1)];
}

function bad(what: string): ZarrsiftError {
  return new ZarrsiftError(
    "bad_request",
    `This URL ${what}. Data is at /views/{id}/v3/{key} and /collections/{name}/sql/{SQL}/v3/{key}.`,
  );
}

function tooLong(maxBytes: number): ZarrsiftError {
  return new ZarrsiftError(
    "url_too_long",
    `The SQL in this URL is longer than ${maxBytes} bytes; POST it to /collections/{name}/views instead.`,
  );
}
