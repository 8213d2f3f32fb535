import { messageOf, ZarrsiftError } from "../../errors.ts";
import { type Icechunk, whileBusy } from "./load.ts";

type Repository = InstanceType<Icechunk["Repository"]>;
type Session = InstanceType<Icechunk["Session"]>;

/** 12 bytes in Crockford's base 32. */
const SNAPSHOT_ID = /^[0-9A-HJKMNP-TV-Z]{20}$/;

/**
 * Opens what `ref` names: a branch, else a tag, else a snapshot.
 *
 * @returns `undefined` where it names none of them
 */
export async function openRef(repository: Repository, ref: string): Promise<Session | undefined> {
  const asBranch = await found(repository.readonlySession({ branch: ref }));
  const named = asBranch ?? (await found(repository.readonlySession({ tag: ref })));
  if (named || !SNAPSHOT_ID.test(ref)) return named;
  const session = await found(repository.readonlySession({ snapshotId: ref }));
  // The last letter has bits to spare, which Icechunk ignores.
  return session?.snapshotId === ref ? session : undefined;
}

async function found(opening: Promise<Session>): Promise<Session | undefined> {
  try {
    return await whileBusy(opening);
  } catch (error) {
    if (/^(ref not found|invalid ref|snapshot id not found|object not found)/i.test(messageOf(error)))
      return undefined;
    throw error;
  }
}

/** The error for a ref that is not there; it names those that are, where the repository can be listed. */
export async function unknownRef(repository: Repository, ref: string, url: string): Promise<ZarrsiftError> {
  const names = await whileBusy(Promise.all([repository.listBranches(), repository.listTags()])).catch(
    () => undefined,
  );
  const there = names
    ? `branches: ${names[0].sort().join(", ") || "none"}; tags: ${names[1].sort().join(", ") || "none"}`
    : "which there are cannot be listed here";
  return new ZarrsiftError(
    "source_not_found",
    `${url} has no branch, tag or snapshot ${JSON.stringify(ref)} (${there})`,
    { details: { ref } },
  );
}
