// The documentation is made without a warning: every public name, option and parameter has words, every link leads
// somewhere, and its pages ask nobody else for anything.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

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
      "types/Samples.html",
    ]),
  );
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
