import { describe, expect, it } from "vitest";
import { suggest } from "../../src/sql/suggest.ts";

describe("suggest", () => {
  const columns = ["date", "bbox", "collection", "platform", "cloud_cover", "Orbit"];

  it.each([
    ["dat", "date"],
    ["daet", "date"],
    ["DATE", "date"],
    ["colection", "collection"],
    ["cluod_cover", "cloud_cover"],
    ["orbti", "Orbit"],
    ["platfrom", "platform"],
  ])("%s → %s", (name, meant) => {
    expect(suggest(name, columns)).toBe(meant);
  });

  it.each(["x", "temperature", "", "bananas"])("nothing for %j", (name) => {
    expect(suggest(name, columns)).toBeUndefined();
  });

  it("takes the nearest, the first of equals", () => {
    expect(suggest("year", ["years", "yea", "yeer"])).toBe("years");
    expect(suggest("minutes", ["minute", "minutes"])).toBe("minutes");
    expect(suggest("a", [])).toBeUndefined();
  });
});
