// A page built by every bundler without a configuration, and shown in Chromium: it must run on WebAssembly.

import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium, visit } from "./browser.js";
import { consumer } from "./consumer.js";
import { cell, report } from "./report.js";

const folder = consumer();
const installed = fileURLToPath(new URL("node_modules/", import.meta.url));
const entry = join(folder, "page.js");

const module = '<!doctype html><script type="module" src="page.js"></script>';
const classic = '<!doctype html><script src="page.js"></script>';

/** What webpack and rspack share. */
const options = (path) => ({
  context: folder,
  mode: "production",
  entry: "./page.js",
  output: { path, filename: "page.js" },
});

/** How a bundler builds into a folder; `html` where it does not write the page itself. */
const bundlers = [
  {
    name: "vite",
    async build(outDir) {
      const { build } = await import("vite");
      await build({ root: folder, logLevel: "error", build: { outDir } });
    },
  },
  {
    name: "webpack",
    html: classic,
    async build(path) {
      const { default: webpack } = await import("webpack");
      await compile(webpack(options(path)));
    },
  },
  {
    name: "rspack",
    from: "@rspack/core",
    html: classic,
    async build(path) {
      const { rspack } = await import("@rspack/core");
      await compile(rspack(options(path)));
    },
  },
  {
    name: "rollup",
    html: module,
    async build(dir) {
      const { rollup } = await import("rollup");
      const { nodeResolve } = await import("@rollup/plugin-node-resolve");
      const bundle = await rollup({ input: entry, plugins: [nodeResolve()] });
      await bundle.write({ dir });
    },
  },
  {
    name: "rolldown",
    html: module,
    async build(dir) {
      const { build } = await import("rolldown");
      await build({ input: entry, output: { dir } });
    },
  },
  ...[
    ["esm", module],
    ["iife", classic],
  ].map(([format, html]) => ({
    name: `esbuild, ${format}`,
    from: "esbuild",
    html,
    async build(outdir) {
      const { build } = await import("esbuild");
      await build({ entryPoints: [entry], bundle: true, format, outdir });
    },
  })),
  {
    name: "parcel",
    build: (outDir) =>
      promisify(execFile)(
        join(installed, ".bin/parcel"),
        ["build", "index.html", "--no-cache", "--dist-dir", outDir],
        { cwd: folder },
      ),
  },
];

/** Runs a compiler of webpack's kind. */
async function compile(compiler) {
  const stats = await promisify(compiler.run.bind(compiler))();
  if (stats.hasErrors()) throw new Error(stats.toString());
}

for (const { name, from = name, html, build } of bundlers) {
  const manifest = join(installed, from, "package.json");
  const found = existsSync(manifest);
  const run = async () => {
    const site = join(folder, "sites", name);
    await build(site);
    const { backends } = await visit(chromium, [{ folder: site, html }]);
    return backends[0];
  };
  await cell(
    {
      environment: name,
      version: found ? JSON.parse(readFileSync(manifest)).version : "",
      how: "page",
      expected: "wasm",
      missing: found ? chromium.missing : from,
    },
    found && chromium.binary ? run : null,
  );
}

report("bundlers");
