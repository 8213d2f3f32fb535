/** Calls with words between their arguments: `position(x IN y)`, `substring(x FROM a FOR b)`, `trim(BOTH x FROM y)`. */
import type { Reader } from "./reader.ts";

const TRIMS = new Map([
  ["BOTH", "trim"],
  ["LEADING", "ltrim"],
  ["TRAILING", "rtrim"],
]);

/** Reads such a call's start, or a word between its arguments, if one is next: the words become commas. */
export function readWordedCall(reader: Reader): boolean {
  return readTrim(reader) || readSeparator(reader);
}

/** `trim(`, where BOTH, LEADING, TRAILING or FROM follows. */
function readTrim(reader: Reader): boolean {
  if (!reader.sees("TRIM") || !reader.seesSymbol("(", 1)) return false;
  const side = reader.ahead[2];
  const name = side?.kind === "word" ? TRIMS.get(side.value) : undefined;
  const length = name === undefined ? 2 : 3;
  const bare = reader.sees("FROM", length);
  if (name === undefined && !bare) return false;
  reader.call(bare ? length + 1 : length, {
    form: "function",
    name: name ?? "trim",
    distinct: false,
    ...(bare && { words: "all" }),
  });
  return true;
}

function readSeparator(reader: Reader): boolean {
  const call = reader.out.openFunction;
  if (!call) return false;
  if (call.words === undefined && call.name === "position" && reader.sees("IN")) {
    call.name = "strpos";
    call.words = "swapped";
  } else if (call.words === undefined && /^[lr]?trim$/.test(call.name) && reader.sees("FROM")) {
    call.words = "swapped";
  } else if (call.name === "substring" && reader.sees("FROM") && call.words === undefined) {
    call.words = "from";
  } else if (call.name === "substring" && reader.sees("FOR") && call.words !== "all") {
    // without FROM, from the first letter on
    if (call.words === undefined) reader.implied({ type: "literal", value: 1n, at: reader.token!.at });
    call.words = "all";
  } else return false;
  reader.mark("comma");
  return true;
}
