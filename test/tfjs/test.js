// tfjs' own tests of batch normalization with simdnorm's kernel registered, and pages in Chromium with and without
// threads.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright";
import { bundle } from "./bundle.js";

const folder = mkdtempSync(join(tmpdir(), "simdnorm-tfjs-"));
after(() => rmSync(folder, { recursive: true }));
const wasm = fileURLToPath(new URL("node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url));

describe("tfjs' own tests", () => {
  /** How many there are, and what they called. */
  async function run(every) {
    const specs = join(folder, every ? "every.cjs" : "published.cjs");
    await bundle("own-tests.js", specs, { platform: "node", every });
    const script = fileURLToPath(new URL("run-jasmine.js", import.meta.url));
    const env = { ...process.env, WASM_PATHS: wasm };
    const { stdout } = await promisify(execFile)(process.execPath, [script, specs], { env });
    const [, count] = stdout.match(/^(\d+) specs, 0 failures$/m);
    return { count: Number(count), counts: JSON.parse(stdout.trimEnd().split("\n").at(-1)) };
  }

  test("pass as published, where calls of a few values stay with tfjs' kernels", async () => {
    const { count, counts } = await run(false);
    assert.ok(count > 0);
    for (const { calls, ours } of Object.values(counts)) assert.ok(calls >= count / 2 && ours < calls);
  });

  test("pass where calls of any size run on simdnorm", async () => {
    const { count, counts } = await run(true);
    for (const { calls, perFeature, ours } of Object.values(counts)) {
      assert.ok(calls >= count / 2 && perFeature > 0);
      assert.equal(ours, perFeature);
    }
  });
});

describe("in Chromium", () => {
  const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
    (path) => path !== undefined && existsSync(path),
  );
  let browser;
  let script;

  before(async () => {
    const file = join(folder, "page.js");
    await bundle("page.js", file, { platform: "browser" });
    script = readFileSync(file);
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  after(() => browser?.close());

  /** A page, alone with what it loads or not: then it may share memory with threads. */
  async function check(isolated, backend) {
    const server = createServer(({ url }, response) => {
      if (isolated) {
        response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
        response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
      }
      if (url === "/") {
        response.setHeader("Content-Type", "text/html");
        response.end('<!doctype html><script type="module" src="page.js"></script>');
      } else if (url === "/page.js") {
        response.setHeader("Content-Type", "text/javascript");
        response.end(script);
      } else if (url.startsWith("/wasm/")) {
        response.setHeader("Content-Type", "application/wasm");
        response.end(readFileSync(join(wasm, basename(url))));
      } else response.writeHead(404).end();
    });
    await once(server.listen(0, "localhost"), "listening");
    const page = await browser.newPage();
    try {
      const errors = [];
      page.on("pageerror", (error) => errors.push(error));
      await page.goto(`http://localhost:${server.address().port}/`);
      const result = await page.evaluate((backend) => globalThis.check(backend), backend);
      assert.deepEqual(errors, []);
      return result;
    } finally {
      await page.close();
      server.close();
    }
  }

  for (const [title, isolated, backend] of [
    ["wasm with threads, on a shared heap that grows", true, "wasm"],
    ["wasm without threads, on a heap that grows", false, "wasm"],
    ["cpu", false, "cpu"],
  ]) {
    test(title, async () => {
      const { errors, workers, ...ran } = await check(isolated, backend);
      assert.deepEqual(ran, {
        calls: 3,
        backend: "wasm",
        undone: true,
        grew: backend === "wasm",
        shared: isolated,
      });
      assert.equal(workers > 0, isolated);
      for (const [name, ratio] of Object.entries(errors))
        assert.ok(ratio <= 1, `${name}: ${ratio} of the bound`);
    });
  }
});
