// A vitest reporter that leaves the numbers, and why tests were skipped, in the file ZARRSIFT_TEST_RESULT names.
import { readFileSync, writeFileSync } from "node:fs";

export default class Tally {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly unknown[]} unhandled errors outside any test: each counts as a failure
   */
  onTestRunEnd(modules, unhandled) {
    const tally = { passed: 0, failed: unhandled.length, skipped: 0, reasons: {} };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      if (module.state() === "failed" && !tests.some(failed)) tally.failed++;
      for (const test of tests) count(tally, module, test);
    }
    const file = process.env.ZARRSIFT_TEST_RESULT;
    if (file) writeFileSync(file, JSON.stringify(tally));
  }
}

const failed = (test) => test.result().state === "failed";

function count(tally, module, test) {
  const { state, note } = test.result();
  if (state === "passed" || state === "failed") {
    tally[state]++;
    return;
  }
  tally.skipped++;
  const reason = `${module.relativeModuleId}: ${note ?? conditions(module.moduleId)}`;
  tally.reasons[reason] = (tally.reasons[reason] ?? 0) + 1;
}

/** The conditions a test file skips on, as written in it. */
function conditions(file) {
  const found = [...readFileSync(file, "utf8").matchAll(/\b((?:skipIf|runIf)\(.*?\))\(/g)].map(
    (match) => match[1],
  );
  return found.length ? [...new Set(found)].join(" or ") : "skipped by name or by `-t`";
}
