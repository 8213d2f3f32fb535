import type { GroupMeta } from "../zarr/metadata.ts";

/** A group that only the view has. */
export const emptyGroup: GroupMeta = { nodeType: "group", format: 3, attributes: {}, document: {} };
