import type { Listing, ReadOptions } from "../store.ts";

/** What a key stands for: bytes of its own, or a part of an object elsewhere (all of it where `length` is not known). */
export type Reference =
  | { bytes: Uint8Array }
  | { location: string; offset: number; length: number | undefined };

/** Keys that are named in a file, or a folder of them, with what each stands for. */
export interface References {
  /** What a person would call it. */
  readonly url: string;

  /** `undefined`: no such key. Locations are as they are written. */
  find(key: string, options?: ReadOptions): Promise<Reference | undefined>;

  list(prefix: string, options?: ReadOptions): Promise<Listing>;

  /** Changes when what `key` stands for may have, as of now. */
  stamp(key: string, options?: ReadOptions): Promise<string>;

  /** Forget what was read. */
  clear(): void;
}

/** A value as reference files hold it: text, or `base64:` and bytes in base 64. */
export function inlineBytes(value: string): Uint8Array {
  if (!value.startsWith("base64:")) return new TextEncoder().encode(value);
  return Uint8Array.from(atob(value.slice(7)), (char) => char.charCodeAt(0));
}

/**
 * The URL of what a reference names, as `AllowedPrefix` has them: paths become `file://`, relative ones start at `base`.
 *
 * @param base URL of the folder that the reference file is in, a slash at its end
 */
export function resolveLocation(location: string, base: string): string {
  const local =
    /^(?:file|local):(?:\/\/)?(\/.*)$/s.exec(location)?.[1] ??
    (location.startsWith("/") ? location : undefined);
  if (local !== undefined) return `file:///${straight(local.slice(1))}`;
  if (/^[a-z][a-z0-9+.-]*:/i.test(location)) return location;
  const [, root, path] = /^([a-z0-9]+:\/\/[^/]*\/)(.*)$/s.exec(base)!;
  return root + straight(`${path}${location}`);
}

/** A path without `.` and `..`. */
function straight(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== ".") segments.push(segment);
  }
  return segments.join("/");
}
