// The entry for TensorFlow.js, packed, beside TensorFlow.js as users install it: imported and required in Node, and
// bundled for a page, where package and backend must find one tfjs-core.

import { execFile } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as esbuild from "esbuild";
import { chromium, visit } from "./browser.js";
import { consumer, root } from "./consumer.js";
import { cell, report } from "./report.js";

const folder = consumer();
symlinkSync(join(root, "node_modules/@tensorflow"), join(folder, "node_modules/@tensorflow"));

for (const name of ["wasm", "cpu"]) {
  for (const [how, file] of [
    ["import", "tfjs.js"],
    ["require", "tfjs.cjs"],
  ]) {
    const run = async () =>
      (await promisify(execFile)(process.execPath, [file, name], { cwd: folder })).stdout;
    const environment = `Node.js, TensorFlow.js' ${name}`;
    await cell({ environment, version: process.versions.node, how, expected: "wasm" }, run);
  }
}

for (const [format, html] of [
  ["esm", '<!doctype html><script type="module" src="tfjs-page.js"></script>'],
  ["iife", '<!doctype html><script src="tfjs-page.js"></script>'],
]) {
  const run = async () => {
    const outdir = join(folder, "sites", format);
    await esbuild.build({ entryPoints: [join(folder, "tfjs-page.js")], bundle: true, format, outdir });
    const { backends } = await visit(chromium, [{ folder: outdir, html }]);
    return backends[0];
  };
  await cell(
    {
      environment: `esbuild, ${format}, TensorFlow.js' cpu`,
      version: esbuild.version,
      how: "page",
      expected: "wasm",
      missing: chromium.missing,
    },
    chromium.binary ? run : null,
  );
}

report("tfjs");
