import { resolve } from "node:path";
import type { AllowedPrefix, SourceOptions } from "../index.ts";
import { type Arguments, absentStatuses, type OptionSpecs, UsageError } from "./args.ts";
import { ambientS3 } from "./aws.ts";
import { ABSENT_HELP } from "./source.ts";

/** Options of every command that reads a SOURCE. */
export const READ_OPTIONS = {
  absent: { type: "string" },
  allow: { type: "string", multiple: true },
} satisfies OptionSpecs;

/** What `--help` says about them. */
export const READ_HELP = `${ABSENT_HELP}
  --allow FOLDER|URL   where chunks may be read that references and virtual chunks lead to; may be given several times.
                       Read without keys: those of a bucket are named in the --config of serve`;

/** How this command line reads its sources, as this user. */
export type Reading = Pick<SourceOptions, "absent" | "s3" | "virtualChunks">;

/** @throws UsageError for values that make no sense */
export function readingOf(args: Arguments): Reading {
  return { absent: absentStatuses(args), s3: ambientS3(), virtualChunks: args.texts("allow").map(allowed) };
}

/** @throws UsageError for a URL that cannot be read */
function allowed(place: string): AllowedPrefix {
  const prefix = allowedPlace(place, ".");
  if (/^(s3|https?):\/\/.|^file:\/\/\/./.test(prefix)) return { prefix };
  throw new UsageError(`--allow ${place}: expected a folder, or a file:///, http:, https: or s3: URL`);
}

/** A folder as the URL of all below it, relative ones starting at `folder`; URLs as they are. */
export function allowedPlace(place: string, folder: string): string {
  return /^[a-z][a-z0-9+.-]+:/i.test(place) ? place : `file://${resolve(folder, place)}`;
}
