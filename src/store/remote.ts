import type { Store } from "./store.ts";

/** Whether each request to a store goes over a network. */
export const isRemote = ({ url }: Pick<Store, "url">): boolean => /^(https?|s3):/.test(url);
