import { describe, expect, it } from "vitest";
import {
  asBigInt,
  asNumber,
  JsonNumber,
  type JsonValue,
  jsonEquals,
  parseJson,
  parseJsonObject,
  writeJson,
} from "../../src/zarr/json.ts";
import { random } from "./random.ts";

const roundTrip = (text: string) => writeJson(parseJson(text, "k"));

describe("parseJson and writeJson", () => {
  it.each([
    "0",
    "-0",
    "-0.0",
    "1.0",
    "1",
    "1e-05",
    "1E+2",
    "0.1",
    "-9223372036854775808",
    "18446744073709551615",
    "1e400",
    "123456789012345678901234567890.5",
  ])("keeps the spelling of %s", (text) => expect(roundTrip(text)).toBe(text));

  it("keeps a number plain only where JavaScript prints it alike", () => {
    expect(parseJson("[1,2.5,-7,1e21,1.0,-0,9007199254740993]", "k")).toEqual([
      1,
      2.5,
      -7,
      new JsonNumber("1e21"),
      new JsonNumber("1.0"),
      new JsonNumber("-0"),
      new JsonNumber("9007199254740993"),
    ]);
  });

  it("reads Python's NaN and infinities, and writes them as v3 does", () => {
    expect(parseJson("[NaN, Infinity, -Infinity]", "k")).toEqual([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]);
    expect(roundTrip("[NaN,Infinity,-Infinity]")).toBe('["NaN","Infinity","-Infinity"]');
  });

  it("reads strings with escapes, and empty containers", () => {
    expect(parseJson(' {"a\\u00e9\\n\\"" : [ "\\ud83d\\ude00" , {} , [ ] ] } ', "k")).toEqual({
      'aé\n"': ["😀", {}, []],
    });
  });

  it("has no prototype to spoil, and the last of repeated keys counts", () => {
    const value = parseJson('{"__proto__": {"x": 1}, "a": 1, "a": 2, "toString": 3}', "k") as Record<
      string,
      JsonValue
    >;
    expect(Object.keys(value)).toEqual(["__proto__", "a", "toString"]);
    expect(value.a).toBe(2);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
    expect(writeJson(value)).toBe('{"__proto__":{"x":1},"a":2,"toString":3}');
  });

  it.each([
    ["", 0],
    ["{", 1],
    ['{"a" 1}', 5],
    ["[1,]", 3],
    ["[1 2]", 3],
    ["01", 1],
    ["1.", 1],
    ["+1", 0],
    ["nul", 0],
    ['"abc', 4],
    ['"a\nb"', 2],
    ['"\\x"', 0],
    ["{a: 1}", 1],
    ["[1] x", 4],
    ["-", 0],
    ['{"a":1,}', 7],
    ["\ufeff{}", 0],
    ["'a'", 0],
  ])("refuses %j, naming key and offset %i", (text, offset) => {
    expect(() => parseJson(text, "meta/zarr.json")).toThrow(
      expect.objectContaining({ code: "corrupt_metadata", details: { key: "meta/zarr.json", offset } }),
    );
    expect(() => parseJson(text, "meta/zarr.json")).toThrow(/^meta\/zarr\.json is not valid JSON/);
  });

  it("refuses the first level that is too deep, and no other", () => {
    const nested = (levels: number, value: string) => "[".repeat(levels) + value + "]".repeat(levels);
    for (const value of ["1", "1.0"]) {
      expect(roundTrip(nested(200, value))).toBe(nested(200, value));
      expect(() => parseJson(nested(201, value), "k")).toThrow("deeper than 200 levels");
    }
  });

  it("refuses what is nested too deep, instead of running out of stack", () => {
    expect(() => parseJson("[".repeat(100_000), "k")).toThrow("deeper than 200 levels");
    expect(() => parseJson('{"a":'.repeat(100_000), "k")).toThrow("deeper than 200 levels");
  });

  it("agrees with JSON.parse on generated texts, cut ones included", () => {
    const next = random(3);
    const make = (depth: number): unknown => {
      const kind = Math.floor(next() * (depth > 4 ? 4 : 6));
      if (kind === 0) return Math.round((next() - 0.5) * 10 ** Math.floor(next() * 12));
      if (kind === 1) return (next() - 0.5) * 1000;
      if (kind === 2)
        return String.fromCharCode(...Array.from({ length: 5 }, () => Math.floor(next() * 0xd7ff)));
      if (kind === 3) return [true, false, null][Math.floor(next() * 3)];
      const items = Array.from({ length: Math.floor(next() * 4) }, () => make(depth + 1));
      return kind === 4 ? items : Object.fromEntries(items.map((item, i) => [`k${i}"\\`, item]));
    };
    for (let i = 0; i < 400; i++) {
      const text = JSON.stringify(make(0), null, i % 3);
      expect(JSON.parse(writeJson(parseJson(text, "k"), i % 4))).toEqual(JSON.parse(text));
      // What has a number that must keep its spelling is read with care, and is otherwise the same.
      const [careful] = parseJson(`[${text},1.0]`, "k") as JsonValue[];
      expect(parseJson(text, "k")).toStrictEqual(careful);
      const cut = text.slice(0, Math.floor(next() * text.length));
      let valid = true;
      try {
        JSON.parse(cut);
      } catch {
        valid = false;
      }
      if (valid) parseJson(cut, "k");
      else expect(() => parseJson(cut, "k")).toThrow("k is not valid JSON");
    }
  });

  it("writes as JSON.stringify does, indented or not", () => {
    const value = { a: [1, "x", []], b: { c: null, d: {} } };
    for (const indent of [0, 2]) expect(writeJson(value, indent)).toBe(JSON.stringify(value, null, indent));
  });

  it("takes no more than a small multiple of JSON.parse's time on 2 MB", () => {
    const arrays = Array.from({ length: 40_000 }, (_, i) => ({
      shape: [160, 42],
      name: `array ${i}`,
      scale: 0.01,
    }));
    const text = JSON.stringify(arrays);
    const fastest = (parse: () => unknown) => {
      const times = Array.from({ length: 5 }, () => {
        const start = performance.now();
        parse();
        return performance.now() - start;
      });
      return Math.min(...times);
    };
    const ours = fastest(() => parseJson(text, "k"));
    expect(ours / fastest(() => JSON.parse(text))).toBeLessThan(25);
  });

  it("wants UTF-8 and an object of a document", () => {
    expect(() => parseJsonObject(new Uint8Array([0x22, 0xff, 0x22]), "a/zarr.json")).toThrow(
      "a/zarr.json is not UTF-8 text",
    );
    expect(() => parseJsonObject(new TextEncoder().encode("[1]"), "a/zarr.json")).toThrow(
      "a/zarr.json does not hold a JSON object",
    );
  });
});

describe("numbers and equality", () => {
  it.each([
    ["-9223372036854775808", -(2n ** 63n)],
    ["18446744073709551615", 2n ** 64n - 1n],
    ["1.0", 1n],
    ["1e3", 1000n],
    ["1.50e1", 15n],
    ["-0.0", 0n],
    ["0", 0n],
    ["1e21", 10n ** 21n],
    ["1.5", undefined],
    ["1e-1", undefined],
    ["NaN", undefined],
    ['"1"', undefined],
    ["1e999999", undefined],
    ["10e-1", 1n],
  ])("the integer of %s is %s", (text, value) => expect(asBigInt(parseJson(text, "k"))).toBe(value));

  it("the number of anything else is undefined", () => {
    expect(asNumber(parseJson("1.0", "k"))).toBe(1);
    expect(asNumber(null)).toBeUndefined();
    expect(asNumber("1")).toBeUndefined();
  });

  it("compares numbers by spelling and objects in any order", () => {
    const equal = (a: string, b: string) => jsonEquals(parseJson(a, "k"), parseJson(b, "k"));
    expect(equal('{"a":[1,{"b":NaN}],"c":1.0}', '{"c":1.0,"a":[1,{"b":NaN}]}')).toBe(true);
    expect(equal("1", "1.0")).toBe(false);
    expect(equal("[1]", "[1,2]")).toBe(false);
    expect(equal('{"a":1}', '{"b":1}')).toBe(false);
    expect(equal("{}", "[]")).toBe(false);
    expect(equal("null", "{}")).toBe(false);
  });
});
