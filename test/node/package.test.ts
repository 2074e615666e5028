// What is published: the files, their sizes, and what the entry must not contain to run everywhere.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const kernels = readFileSync(new URL("build/kernels.wasm", root));
const entries = ["index.js", "index.cjs"] as const;

function source(name: string): string {
  return readFileSync(new URL(`build/${name}`, root), "utf8");
}

/** The one long base64 literal: the module. */
const EMBEDDED = /"([A-Za-z0-9+/]{1000,}={0,2})"/g;

test("the tarball holds what it needs and nothing else", () => {
  const [{ files }] = JSON.parse(
    execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  ) as [{ files: { path: string }[] }];
  expect(files.map(({ path }) => path).sort()).toEqual([
    "LICENSE",
    "README.md",
    "build/edge.d.ts",
    "build/edge.js",
    "build/index.cjs",
    "build/index.d.cts",
    "build/index.d.ts",
    "build/index.js",
    "build/kernels.wasm",
    "package.json",
  ]);
});

test("kernels.wasm has at most 20 kB and imports nothing", () => {
  expect(kernels.length).toBeLessThanOrEqual(20_000);
  expect(WebAssembly.Module.imports(new WebAssembly.Module(kernels))).toEqual([]);
});

test("nothing is installed with the package", () => {
  const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
  for (const field of ["dependencies", "peerDependencies", "optionalDependencies"]) {
    expect(manifest).not.toHaveProperty(field);
  }
  for (const script of ["preinstall", "install", "postinstall"]) {
    expect(manifest.scripts).not.toHaveProperty(script);
  }
});

describe.each(entries)("%s", (name) => {
  test("has at most 29 kB, minified and gzipped", () => {
    expect(gzipSync(source(name)).length).toBeLessThanOrEqual(29_000);
  });

  test("embeds exactly kernels.wasm", () => {
    const literals = [...source(name).matchAll(EMBEDDED)];
    expect(literals).toHaveLength(1);
    expect(Buffer.from(literals[0]![1]!, "base64").equals(kernels)).toBe(true);
  });

  test("loads nothing and waits for nothing", () => {
    const code = source(name).replace(EMBEDDED, "");
    for (const forbidden of ["node:", "fetch", "import(", "import.meta", "require("]) {
      expect(code).not.toContain(forbidden);
    }
    expect(code).not.toMatch(/\bawait\b|\bimport\b|\bfrom\s*"/);
  });
});
