/** An array's description with a new first axis, of which each chunk holds one position: the chunks' bytes stay as they are. */
import type { JsonObject, JsonValue } from "../zarr/json.ts";
import type { ArrayMeta, Codec } from "../zarr/metadata.ts";

/** `meta` as one position along a new first axis of `length`; `name` is the axis's. */
export function withNewAxis(meta: ArrayMeta, length: number, name: string): ArrayMeta {
  const { dimensionNames = meta.shape.map(() => null) } = meta;
  return {
    ...meta,
    shape: [length, ...meta.shape],
    chunkShape: [1, ...meta.chunkShape],
    codecs: meta.codecs.map(({ name: codec, configuration }) => lifted(codec, configuration)),
    dimensionNames: [name, ...dimensionNames],
  };
}

/**
 * A codec for chunks with one axis more, of length 1. Only `transpose` and sharding know of axes; a reversed order stays
 * one, which is all that v2 can say.
 */
function lifted(name: string, configuration: JsonObject): Codec {
  const { order, chunk_shape: inner } = configuration;
  if (name === "transpose" && Array.isArray(order)) {
    const axes = order.map(Number);
    const reversed = axes.length > 1 && axes.every((axis, i) => axis === axes.length - 1 - i);
    const rest = axes.map((axis) => axis + 1);
    return { name, configuration: { ...configuration, order: reversed ? [...rest, 0] : [0, ...rest] } };
  }
  if (name === "sharding_indexed" && Array.isArray(inner)) {
    const { codecs = [], index_codecs: index = [] } = configuration;
    return {
      name,
      configuration: {
        ...configuration,
        chunk_shape: [1, ...inner],
        codecs: liftedAll(codecs),
        index_codecs: liftedAll(index),
      },
    };
  }
  return { name, configuration };
}

/** Codecs as a document spells them; one that is just its name says nothing of axes. */
function liftedAll(codecs: JsonValue): JsonValue {
  if (!Array.isArray(codecs)) return codecs;
  return codecs.map((codec) => {
    if (typeof codec !== "object" || codec === null || Array.isArray(codec)) return codec;
    const { name, configuration } = codec as JsonObject;
    if (typeof name !== "string" || typeof configuration !== "object" || configuration === null) return codec;
    return { ...codec, ...lifted(name, configuration as JsonObject) } as unknown as JsonObject;
  });
}
