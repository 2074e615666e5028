import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

const chromium = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);
if (chromium === undefined) {
  if (process.env.CI) throw new Error("No Chromium found: the browser half of the tests must run here.");
  console.error(
    "\n!! No Chromium found (set CHROMIUM=/path/to/it): the browser half of the tests, and the page's, are NOT run.\n",
  );
}

const node = {
  extends: true as const,
  test: { name: "node", include: ["test/*.test.ts", "test/node/*.test.ts"] },
};

const browser = {
  extends: true as const,
  test: {
    name: "chromium",
    include: ["test/*.test.ts"],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: { executablePath: chromium, args: ["--no-sandbox"] },
      }),
      instances: [{ browser: "chromium" }],
    },
  },
};

const page = {
  extends: true as const,
  test: {
    name: "page",
    include: ["test/page/*.test.ts"],
    globalSetup: "test/page/build.ts",
    // Guards against a page that hangs, on a busy machine.
    hookTimeout: 900_000,
    expect: { poll: { timeout: 30_000 } },
  },
};

export default defineConfig({
  resolve: {
    alias: {
      "simdnorm/tfjs": fileURLToPath(new URL("build/tfjs.js", import.meta.url)),
      simdnorm: fileURLToPath(new URL("build/index.js", import.meta.url)),
    },
  },
  test: {
    // Guards against what never ends, on a busy machine.
    testTimeout: 900_000,
    provide: { chromium: chromium ?? "" },
    reporters: process.env.CI
      ? ["default", ["json", { outputFile: "build/test-results.json" }]]
      : ["default"],
    projects: chromium === undefined ? [node] : [node, browser, page],
  },
});
