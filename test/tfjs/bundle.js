// Programs of this folder in one file, with one copy of tfjs: its tests are modules that only a bundler can read, and
// browsers take no bare names.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const pathOf = (path) => fileURLToPath(new URL(path, import.meta.url));
const simdnorm = { simdnorm: pathOf("../../build/index.js"), "simdnorm/tfjs": pathOf("../../build/tfjs.js") };

/**
 * @param entry a program of this folder
 * @param outfile where it goes
 * @param options esbuild's `platform`, and whether calls of any size run on simdnorm (`every`)
 */
export async function bundle(entry, outfile, { platform, every = false }) {
  await build({
    entryPoints: [pathOf(entry)],
    outfile,
    platform,
    bundle: true,
    format: platform === "node" ? "cjs" : "esm",
    mainFields: ["module", "main"],
    // By its manifest, importing tests has no effect.
    ignoreAnnotations: platform === "node",
    // Where they are not read, in browsers, tfjs leaves these out, too.
    external:
      platform === "node" ? [] : ["crypto", "fs", "os", "path", "perf_hooks", "util", "worker_threads"],
    alias: { ...simdnorm, "@tensorflow/tfjs-core": pathOf("node_modules/@tensorflow/tfjs-core") },
    plugins: every ? [untimed] : [],
    logLevel: "error",
  });
}

/** The published file, but for its threshold: tfjs' own tests are of a few values each. */
const untimed = {
  name: "untimed",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/build\/tfjs\.js$/ }, ({ path }) => {
      const [before, after, ...more] = readFileSync(path, "utf8").split(/(?<==)512(?=[,;])/);
      if (after === undefined || more.length > 0) throw new Error(`${path}: expected one threshold`);
      return { contents: `${before}-1/0${after}` };
    }),
};
