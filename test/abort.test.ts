import { expect, it } from "vitest";
import { abortable } from "../src/abort.ts";

it("many wait on one signal, and Node sees no leak in that", async () => {
  const warnings: string[] = [];
  const warn = ({ name }: Error) => warnings.push(name);
  process.on("warning", warn);
  const { signal } = new AbortController();
  await Promise.all(
    Array.from({ length: 30 }, () => abortable(new Promise((done) => setTimeout(done, 1)), signal)),
  );
  await new Promise((done) => setTimeout(done, 1));
  process.off("warning", warn);
  expect(warnings).toEqual([]);
});
