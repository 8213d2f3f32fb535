import { expect, test } from "vitest";
import { type FileTimes, folderTime, settledTime, writtenTime } from "../../src/store/file-times.ts";

const HOUR = 3_600_000;
const NOW = Date.now();
/** Hours ago → what a file system would say. */
const times = (mtime: number, ctime: number, birth: number): FileTimes => {
  const ns = (hours: number) => BigInt(NOW - hours * HOUR) * 1_000_000n;
  return { mtimeNs: ns(mtime), ctimeNs: ns(ctime), birthtimeNs: ns(birth) };
};
const QUIET = times(9, 9, 9);
const written = async (file: FileTimes, folder = QUIET, root = QUIET) =>
  (NOW - (await writtenTime(file, NOW - 5 * HOUR, { folder: async () => folder, root: async () => root }))) /
  HOUR;

test("a file is what it is since its last change, whatever date it bears", () => {
  expect(settledTime(times(8, 3, 9))).toBe(NOW - 3 * HOUR);
  expect(settledTime(times(-8, 3, 9))).toBe(NOW - 3 * HOUR);
});

test("the times of a clock that is ahead say nothing", () => {
  expect(settledTime(times(9, -1, 9))).toBeUndefined();
  expect(folderTime(times(9, -1, 9))).toBeUndefined();
});

test("a file system that knows no change times is believed as to when files were written and made", () => {
  const unknown = (mtime: number, birth: number) => ({ ...times(mtime, 0, birth), ctimeNs: 0n });
  expect(settledTime(unknown(3, 9))).toBe(NOW - 3 * HOUR);
  expect(settledTime(unknown(9, 2))).toBe(NOW - 2 * HOUR);
});

test.each([
  { file: times(2, 2, 9), at: 2, why: "written" },
  { file: times(-2, 1, 9), at: 1, why: "written, and given a date to come" },
  { file: times(9, 2, 9), at: 9, why: "linked, or its mode set" },
  { file: times(9, 1, 2), at: 1, why: "put there with an older date" },
  { file: times(9, 1, 9), folder: times(1, 1, 9), at: 1, why: "moved there" },
  { file: times(9, 1, 9), folder: times(8, 1, 9), at: 9, why: "modes of all set" },
  { file: times(9, 1, 2), root: times(9, 1, 3), at: 9, why: "part of a copy of the whole" },
  { file: times(2, 1, 2), root: times(9, 1, 3), at: 2, why: "written into a copy of the whole" },
])("five hours on, a file that was $why was written $at hours ago", async ({ file, folder, root, at }) => {
  expect(await written(file, folder, root)).toBe(at);
});
