// A page built by every bundler without a configuration, and shown in Chromium: it must run on WebAssembly.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium, visit } from "./browser.js";
import { consumer } from "./consumer.js";
import { library, program } from "./installed.js";
import { cell, report } from "./report.js";

const folder = consumer();
const entry = join(folder, "page.js");

const asModule = '<!doctype html><script type="module" src="page.js"></script>';
const asScript = '<!doctype html><script src="page.js"></script>';

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
    html: asScript,
    async build(path) {
      const { default: webpack } = await import("webpack");
      await compile(webpack(options(path)));
    },
  },
  {
    name: "rspack",
    from: "@rspack/core",
    html: asScript,
    async build(path) {
      const { rspack } = await import("@rspack/core");
      await compile(rspack(options(path)));
    },
  },
  {
    name: "rollup",
    html: asModule,
    async build(dir) {
      const { rollup } = await import("rollup");
      const { nodeResolve } = await import("@rollup/plugin-node-resolve");
      const bundle = await rollup({ input: entry, plugins: [nodeResolve()] });
      await bundle.write({ dir });
    },
  },
  {
    name: "rolldown",
    html: asModule,
    async build(dir) {
      const { build } = await import("rolldown");
      await build({ input: entry, output: { dir } });
    },
  },
  ...[
    ["esm", asModule],
    ["iife", asScript],
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
        program(".bin/parcel").binary,
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
  const bundler = library(from);
  const run = async () => {
    const site = join(folder, "sites", name);
    await build(site);
    const { backends } = await visit(chromium, [{ folder: site, html }]);
    return backends[0];
  };
  await cell(
    {
      environment: name,
      version: bundler?.version,
      how: "page",
      expected: "wasm",
      missing: bundler ? chromium.missing : from,
    },
    bundler && chromium.binary ? run : null,
  );
}

report("bundlers");
