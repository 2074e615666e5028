// The documentation is made without a warning: every public name, option and parameter has words, every link leads
// somewhere, and its pages ask nobody else for anything.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launch } from "../page/site.js";

const folder = mkdtempSync(join(tmpdir(), "simdnorm-"));
let said = "";
let files: string[] = [];

beforeAll(() => {
  const args = ["node_modules/typedoc/bin/typedoc", "--options", "docs/typedoc.json", "--out", folder];
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  said = `${stdout}${stderr}`;
  if (status !== 0) return;
  files = readdirSync(folder, { recursive: true, encoding: "utf8" });
}, 600_000);

afterAll(() => rmSync(folder, { recursive: true }));

test("there is nothing to warn of", () => {
  expect(said).toBe("");
});

test("there is a page of every guide, class and function", () => {
  const guides = readdirSync(new URL("../../docs/", import.meta.url)).filter((name) => name.endsWith(".md"));
  expect(files.filter((name) => name.startsWith("documents/")).length).toBeGreaterThanOrEqual(guides.length);
  expect(files).toEqual(
    expect.arrayContaining([
      "index.html",
      "classes/BatchNorm.html",
      "functions/scope.html",
      "functions/simdnorm_tfjs.register.html",
      "types/Samples.html",
    ]),
  );
});

test("every page leads to the page to try it on, beside the folder of the documentation", () => {
  const beside = pathToFileURL(join(folder, "../index.html")).href;
  const without = files
    .filter((name) => name.endsWith(".html"))
    .filter((name) => {
      const links = readFileSync(join(folder, name), "utf8").matchAll(/<a\b[^>]*?\bhref="([^"]*)"/g);
      return ![...links].some(([, url]) => new URL(url!, pathToFileURL(join(folder, name))).href === beside);
    });
  expect(files).toContain("index.html");
  expect(without).toEqual([]);
});

test("pages load what stands beside them, and nothing else", () => {
  const loaded = /<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)="([^"]*)"/g;
  const found = files
    .filter((name) => name.endsWith(".html"))
    .flatMap((name) => [...readFileSync(join(folder, name), "utf8").matchAll(loaded)].map(([, url]) => url!));
  expect(found).toContain("assets/style.css");
  expect(found.filter((url) => /^(?:\w+:|\/)/.test(url))).toEqual([]);
  const styles = files
    .filter((name) => name.endsWith(".css"))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").match(/(?:url\(|@import)[^;)]*/g) ?? []);
  expect(styles.filter((style) => style.includes("//"))).toEqual([]);
});

test.skipIf(inject("chromium") === "")(
  "pages fit a phone, and run without an error",
  async () => {
    const browser = await launch();
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    const asked: string[] = [];
    const errors: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    page.on("pageerror", (error) => errors.push(String(error)));
    const wide: string[] = [];
    for (const name of files.filter((name) => name.endsWith(".html"))) {
      await page.goto(pathToFileURL(join(folder, name)).href);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 360) wide.push(`${name}: ${width}`);
    }
    await browser.close();
    expect(wide).toEqual([]);
    expect(errors).toEqual([]);
    expect(asked.filter((url) => !/^(?:file|data):/.test(url))).toEqual([]);
  },
  600_000,
);
