/** What a file system says of a file or folder, nanoseconds since 1970. */
export interface FileTimes {
  mtimeNs: bigint;
  /** When anything about it changed; nobody can set it. 0 or less: the file system does not know. */
  ctimeNs: bigint;
  /** When it was made. A file system that does not know says 1970. */
  birthtimeNs: bigint;
}

/** What is around a file: the folder that it is in, and the whole directory that it is part of. */
export interface Around {
  folder(): Promise<FileTimes>;
  root(): Promise<FileTimes>;
}

/**
 * Since when a file has surely been what it is, milliseconds since 1970; `undefined`: the file system's clock is ahead of
 * this machine's, so that its times mean nothing yet.
 */
export function settledTime({ mtimeNs, ctimeNs, birthtimeNs }: FileTimes): number | undefined {
  const time = ms(ctimeNs > 0n ? ctimeNs : mtimeNs > birthtimeNs ? mtimeNs : birthtimeNs);
  return Math.floor(time) > Date.now() ? undefined : time;
}

/**
 * When a file came to be what it is, where it has not been settled since a time: when it was written, whatever later date
 * it bears, or put there with an older one, as rsync, tar and mv do. That it was linked, or its owner or mode set, does not
 * count; neither does that the whole directory was put there, as its copy on another disk is: that is what it was.
 *
 * @param asOf milliseconds since 1970
 */
export async function writtenTime(file: FileTimes, asOf: number, { folder, root }: Around): Promise<number> {
  // As whole milliseconds, which this machine's clock tells.
  const isLater = (time: number) => Math.floor(time) > asOf;
  const written = writeTime(file);
  if (isLater(written)) return written;
  // Names come and go in a folder where a file is moved there, not where it is changed in place.
  const isPut = isLater(ms(file.birthtimeNs)) || isLater(writeTime(await folder()));
  if (!isPut || isLater(ms((await root()).birthtimeNs))) return written;
  return Math.max(ms(file.ctimeNs), ms(file.birthtimeNs));
}

/** When names in a folder last came or went; `undefined`: the file system's clock is ahead of this machine's. */
export function folderTime(folder: FileTimes): number | undefined {
  return settledTime(folder) && writeTime(folder);
}

/** The date that something bears, or when it was given one that is later. */
function writeTime({ mtimeNs, ctimeNs }: FileTimes): number {
  return ms(ctimeNs > 0n && ctimeNs < mtimeNs ? ctimeNs : mtimeNs);
}

const ms = (ns: bigint): number => Number(ns / 1000n) / 1000;
