// What is published: the files, their sizes, what the entry must not contain to run everywhere, and what of it a
// program shows or keeps.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const MODULES = ["kernels", "pixels", "rows", "statistics"];
const module = (name: string) => readFileSync(new URL(`build/${name}.wasm`, root));
const entries = ["index.js", "index.cjs"] as const;

function source(name: string): string {
  return readFileSync(new URL(`build/${name}`, root), "utf8");
}

/** The long literals of digits of base 89: the modules, continued from line to line. */
const EMBEDDED = /"((?:[#-[\]-~]|\\\n){1000,})"/g;

/** What the digits stand for: 88 and 89 + n begin a second digit, and all count from -7. */
function bytesOf(text: string): Buffer {
  const digits = Array.from(text.replaceAll("\\\n", ""), (digit) => digit.charCodeAt(0));
  const values = digits.map((code) => code - (code > 92 ? 36 : 35));
  const bytes: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    bytes.push((value < 89 ? value : 89 * (value - 88) + values[++i]!) - 7);
  }
  return Buffer.from(bytes);
}

/** What a program prints in a process of its own, which finds the package by its name. */
function run(type: "module" | "commonjs", program: string) {
  const args = [`--input-type=${type}`, "--eval", program];
  return spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
}

/** A program as a user's bundler writes it. */
async function bundled(program: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: fileURLToPath(root) },
    bundle: true,
    minify: true,
    format: "esm",
    external: ["@tensorflow/tfjs-core"],
    write: false,
  });
  return outputFiles[0]!.text;
}

test("the tarball holds what it needs and nothing else", () => {
  const [{ files }] = JSON.parse(
    execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  ) as [{ files: { path: string }[] }];
  expect(files.map(({ path }) => path).sort()).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "build/edge.js",
    "build/index.cjs",
    "build/index.d.cts",
    "build/index.d.ts",
    "build/index.js",
    "build/kernels.wasm",
    "build/pixels.wasm",
    "build/rows.wasm",
    "build/statistics.wasm",
    "build/tfjs.cjs",
    "build/tfjs.d.cts",
    "build/tfjs.d.ts",
    "build/tfjs.js",
    "package.json",
  ]);
});

test.each([
  ["kernels", 32],
  ["pixels", 5],
  ["rows", 14],
  ["statistics", 13],
] as const)("%s.wasm has at most %i kB and imports nothing but memory", (name, kilobytes) => {
  expect(module(name).length).toBeLessThanOrEqual(1000 * kilobytes);
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(module(name)));
  expect(imports.map(({ kind }) => kind)).toEqual(name === "kernels" ? [] : ["memory"]);
});

test.each([
  ["BatchNorm", 24, 1],
  ["ImageScaler", 24, 2],
  ["LayerNorm", 27, 2],
  ["StandardScaler", 33, 2],
] as const)(
  "a bundle with %s alone has at most %i kB, and its own kernels",
  async (name, kilobytes, modules) => {
    const code = await bundled(`import { ${name} } from "simdnorm"; globalThis.noun = ${name};`);
    expect(gzipSync(code).length).toBeLessThanOrEqual(1000 * kilobytes);
    expect(code.match(EMBEDDED)).toHaveLength(modules);
  },
);

test("a bundle with BatchNorm alone has at most 24 kB, and neither a scaler nor other kernels", async () => {
  const code = await bundled('import { BatchNorm } from "simdnorm"; globalThis.layer = new BatchNorm(2);');
  expect(gzipSync(code).length).toBeLessThanOrEqual(24_000);
  expect(code.match(EMBEDDED)).toHaveLength(1);
  // Names that a minifier leaves as they are.
  expect(code).toContain("momentum");
  expect(code).not.toContain("withMean");
});

test("a bundle with simdnorm/tfjs has at most 1.3 kB more than one with BatchNorm", async () => {
  const layer = await bundled('import { BatchNorm } from "simdnorm"; globalThis.noun = BatchNorm;');
  const tfjs = await bundled('import { register } from "simdnorm/tfjs"; globalThis.undo = register();');
  expect(gzipSync(tfjs).length).toBeLessThanOrEqual(gzipSync(layer).length + 1_300);
  expect(tfjs.match(EMBEDDED)).toHaveLength(1);
});

test("a bundle that uses nothing has nothing", async () => {
  expect(await bundled('import { BatchNorm } from "simdnorm";')).toBe("");
});

test.each([
  ["module", 'import * as edge from "simdnorm/edge"; import * as main from "simdnorm";'],
  ["commonjs", 'const edge = require("simdnorm/edge"), main = require("simdnorm");'],
] as const)("simdnorm/edge is simdnorm in Node, as %s", (type, imports) => {
  const { stdout, stderr } = run(
    type,
    `${imports} console.log(edge.backend(), edge.Tensor === main.Tensor);`,
  );
  expect([stdout, stderr]).toEqual(["wasm true\n", ""]);
});

test.each([
  ["tfjs.js", "./index.js", /\bfrom\s*"([^"]+)"/g],
  ["tfjs.cjs", "./index.cjs", /\brequire\("([^"]+)"\)/g],
] as const)(
  "%s has at most 1.3 kB, gzipped, and imports the entry and tfjs' core",
  (name, entry, imports) => {
    expect(gzipSync(source(name)).length).toBeLessThanOrEqual(1_300);
    const found = Array.from(source(name).matchAll(imports), ([, path]) => path);
    expect(found.sort()).toEqual([entry, "@tensorflow/tfjs-core"]);
  },
);

test.each([
  [
    "module",
    `import * as tf from "@tensorflow/tfjs-core"; import "@tensorflow/tfjs-backend-cpu";
    import { BatchNorm } from "simdnorm"; import { register } from "simdnorm/tfjs";`,
  ],
  [
    "commonjs",
    `const tf = require("@tensorflow/tfjs-core"); require("@tensorflow/tfjs-backend-cpu");
    const { BatchNorm } = require("simdnorm"), { register } = require("simdnorm/tfjs");`,
  ],
] as const)("simdnorm/tfjs runs tfjs on the very layers of simdnorm, as %s", (type, imports) => {
  const { stdout, stderr } = run(
    type,
    `${imports} console.warn = () => {};
    const { infer } = BatchNorm.prototype;
    let calls = 0;
    BatchNorm.prototype.infer = function (...args) { calls++; return infer.apply(this, args); };
    const undo = register("cpu");
    const of = (value) => tf.fill([64], value);
    const call = () => tf.batchNorm(tf.fill([10, 64], 7), of(3), of(4), of(5), of(6), 0).dataSync()[0];
    const first = call();
    undo();
    console.log(first, call(), calls, register.name);`,
  );
  expect([stdout, stderr]).toEqual(["17 17 1 register\n", ""]);
});

test("nothing is installed with the package", () => {
  const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
  for (const field of ["dependencies", "optionalDependencies"]) expect(manifest).not.toHaveProperty(field);
  // What simdnorm/tfjs is for, who has it.
  expect(manifest.peerDependenciesMeta).toEqual({ "@tensorflow/tfjs-core": { optional: true } });
  expect(Object.keys(manifest.peerDependencies)).toEqual(["@tensorflow/tfjs-core"]);
  for (const script of ["preinstall", "install", "postinstall"]) {
    expect(manifest.scripts).not.toHaveProperty(script);
  }
});

// They differ from registry to registry: npm install --omit-lockfile-registry-resolved.
test.each(["", "bench/peers/", "test/matrix/", "test/tfjs/"])(
  "%spackage-lock.json holds no addresses",
  (folder) => {
    expect(readFileSync(new URL(`${folder}package-lock.json`, root), "utf8")).not.toContain('"resolved"');
  },
);

describe.each(entries)("%s", (name) => {
  const type = name === "index.js" ? "module" : "commonjs";
  const imports =
    type === "module" ? 'import * as simdnorm from "simdnorm";' : 'const simdnorm = require("simdnorm");';

  test("has at most 58 kB, gzipped", () => {
    expect(gzipSync(source(name)).length).toBeLessThanOrEqual(58_000);
  });

  test("classes and functions have the names that are exported", () => {
    const { stdout, stderr } = run(
      type,
      `${imports} console.log(Object.keys(simdnorm).every((name) => simdnorm[name].name === name));`,
    );
    expect([stdout, stderr]).toEqual(["true\n", ""]);
  });

  // A page: 50 lines of 80 characters. Of these a stack of ten calls takes about 1,000; the rest is shared by the line
  // that threw and the line under it, as long, that points into it.
  test("an uncaught error prints a page", () => {
    const { stderr } = run(type, `${imports} new simdnorm.BatchNorm(-1);`);
    expect(stderr).toContain("features: expected a positive integer, got -1");
    expect(stderr.length).toBeLessThanOrEqual(4_000);
    const throwing = source(name)
      .split("\n")
      .filter((line) => line.includes("throw"));
    expect(Math.max(...throwing.map((line) => line.length))).toBeLessThanOrEqual(1_500);
  });

  test("embeds exactly the modules", () => {
    const literals = [...source(name).matchAll(EMBEDDED)];
    const found = literals.map(([, text]) => bytesOf(text!));
    expect(found.map((bytes, i) => bytes.equals(module(MODULES[i]!)))).toEqual(MODULES.map(() => true));
  });

  test("loads nothing and waits for nothing", () => {
    const code = source(name).replace(EMBEDDED, "");
    for (const forbidden of ["node:", "fetch", "import(", "import.meta", "require("]) {
      expect(code).not.toContain(forbidden);
    }
    expect(code).not.toMatch(/\bawait\b|\bimport\s*["'{*(]|\bfrom\s*["']/);
  });
});
