import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where views are kept unless `--state-dir` says otherwise: a directory of this user's, as the XDG Base Directory
 * specification places it.
 */
export function defaultStateDir(): string {
  const base = process.env.XDG_STATE_HOME;
  return join(base?.startsWith("/") ? base : join(homedir(), ".local", "state"), "zarrsift");
}
