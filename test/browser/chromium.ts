import { existsSync } from "node:fs";
import type { Browser } from "playwright-core";

const PATHS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** The browser that ZARRSIFT_CHROMIUM names, else one where systems put it: on Debian, `apt install chromium`. */
const found = process.env.ZARRSIFT_CHROMIUM || PATHS.find(existsSync);

/** Whether there is none, so that tests in it are skipped. */
export const noChromium = found === undefined;

/** Starts it, headless. */
export async function launch(): Promise<Browser> {
  const { chromium } = await import("playwright-core");
  // Its sandbox cannot be had as root, which containers often are.
  return chromium.launch({ executablePath: found!, chromiumSandbox: process.getuid?.() !== 0 });
}
