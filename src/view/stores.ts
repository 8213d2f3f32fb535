/** A view's face as a store: ours, so that a view is a source, and zarrita's. */
import type { AbsolutePath, AsyncReadable, RangeQuery } from "@zarrita/storage";
import type { ReadOptions, Store } from "../store/store.ts";
import type { ViewFace } from "./api.ts";

/** A face as a source pinned to the view's id. */
export function faceStore(face: ViewFace, id: string): Store {
  return {
    url: `view:${id}`,
    snapshot: id,
    async get(key, options) {
      return (await face.resource(key, options))?.read(options);
    },
    async getRange(key, range, options) {
      const resource = await face.resource(key, options);
      if (!resource) return undefined;
      if (!("suffixLength" in range)) return resource.readRange(range.offset, range.length, options);
      const size = await resource.size(options);
      if (size === undefined) return undefined;
      const length = Math.min(range.suffixLength, size);
      return resource.readRange(size - length, length, options);
    },
    async stat(key, options) {
      const resource = await face.resource(key, options);
      const size = await resource?.size(options);
      return size === undefined ? undefined : { size, stamp: resource!.etag };
    },
    async place(key, options) {
      return (await face.resource(key, options))?.place(options);
    },
    async list(prefix, options) {
      const names = (await face.children(prefix, options)) ?? [];
      const prefixes = names.filter((name) => name.endsWith("/")).map((name) => name.slice(0, -1));
      return { keys: names.filter((name) => !name.endsWith("/")), prefixes };
    },
  };
}

/** Any of our stores for zarrita, whose keys have a leading slash. */
export function readable(store: Store): AsyncReadable {
  return {
    get: (key: AbsolutePath, options?: ReadOptions) => store.get(key.slice(1), options),
    getRange: (key: AbsolutePath, range: RangeQuery, options?: ReadOptions) =>
      store.getRange(key.slice(1), range, options),
  };
}
