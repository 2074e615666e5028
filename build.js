// node build.js [kernels | debug | index | types | probe]…: makes what is in build/, or only what is named and what
// that needs; without a name all but the bench's probe. What is newer than its sources stays.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minify } from "terser";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));

/** Characters of a line of what is shipped: an uncaught error prints the whole line that threw it. */
const LINE = 500;

/** What a step makes, the first file standing for all, what it reads, and the steps that come before it. */
const steps = {
  kernels: {
    makes: ["kernels.wasm", "kernels.d.ts"],
    reads: ["assembly", "asconfig.json"],
    make: () => run("assemblyscript/bin/asc.js", "--target", "release"),
  },
  // The same kernels with their assertions, for the tests.
  debug: {
    makes: ["debug/kernels.wasm", "debug/kernels.d.ts"],
    reads: ["assembly", "asconfig.json"],
    make: () => run("assemblyscript/bin/asc.js", "--target", "debug"),
  },
  index: {
    makes: ["index.js", "index.cjs", "edge.js"],
    reads: ["src", "build/kernels.wasm"],
    after: ["kernels"],
    make: bundle,
  },
  types: {
    makes: ["index.d.ts", "index.d.cts"],
    reads: ["src", "tsconfig.json"],
    after: ["kernels"],
    make: declare,
  },
  probe: {
    makes: ["probe.wasm"],
    reads: ["bench/probe.ts"],
    make: () =>
      run(
        "assemblyscript/bin/asc.js",
        ...["bench/probe.ts", "--config", "none", "--outFile", "build/probe.wasm", "--optimizeLevel", "3"],
        ...["--noAssert", "--enable", "simd", "--runtime", "stub", "--importMemory"],
      ),
  },
};

// ----------------------------------------------------------------------------------- steps

/** Runs a program of node_modules; what it has to say goes where our own words go. */
async function run(program, ...args) {
  const child = spawn(process.execPath, [`node_modules/${program}`, ...args], { stdio: "inherit" });
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: status ${status}`);
}

/** The entry, self-contained, as an ES module and as CommonJS, and the entry for edge runtimes beside it. */
async function bundle() {
  let exported = [];
  for (const [entry, bundle, format, outfile] of [
    ["src/index.ts", true, "esm", "build/index.js"],
    ["src/index.ts", true, "cjs", "build/index.cjs"],
    ["src/edge.ts", false, "esm", "build/edge.js"],
  ]) {
    const { outputFiles, metafile } = await build({
      entryPoints: [entry],
      bundle,
      format,
      outfile,
      platform: "neutral",
      target: "es2022",
      plugins: [inlined, doubled],
      logLevel: "warning",
      metafile: true,
      write: false,
    });
    if (exported.length === 0) exported = metafile.outputs[outfile].exports;
    writeFileSync(outfile, await small(named(outputFiles[0].text), exported));
  }
}

/** Short names but for those that errors and consoles show: of classes, of methods and of what is exported. */
async function small(code, exported) {
  const { code: smaller } = await minify(code, {
    compress: false,
    mangle: { toplevel: true, reserved: exported },
    keep_classnames: true,
    format: { max_line_len: LINE },
  });
  // The module's digits go on in the next line.
  const line = new RegExp(`[0-9a-f]{${LINE}}(?=[0-9a-f])`, "g");
  return smaller.replace(/"[0-9a-f]{1000,}"/, (digits) => digits.replaceAll(line, "$&\\\n"));
}

/**
 * The module as hexadecimal digits: base64 is shorter, but gzip finds no bytes in it that return, so that it arrives
 * 2.6 kB longer.
 */
const inlined = {
  name: "inlined",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.wasm$/ }, ({ path }) => ({
      contents: `export default "${readFileSync(path, "hex")}";`,
    })),
};

/** The loops of src/javascript once more, for float64: see loops.ts there. */
const doubled = {
  name: "doubled",
  setup({ onLoad, onResolve }) {
    const loops = `${process.cwd()}/src/javascript/`;
    const namespace = "double";
    onResolve({ filter: /^#double\// }, ({ path }) => ({ path: loops + path.slice(8, -3), namespace }));
    // What they import from beside them is doubled, too.
    onResolve({ filter: /^\.\//, namespace }, ({ path }) => ({ path: loops + path.slice(2, -3), namespace }));
    onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: readFileSync(`${path}.ts`, "utf8"),
      loader: "ts",
      resolveDir: loops,
    }));
  },
};

/** A class that mentions itself is called _Foo by esbuild, also at runtime: back to Foo, which means the same. */
function named(code) {
  const names = Array.from(code.matchAll(/\b(\w+) = class _\1\b/g), ([, name]) => name);
  return names.reduce((text, name) => text.replaceAll(new RegExp(`\\b_${name}\\b`, "g"), name), code);
}

/** The public declarations, for both kinds of module. */
async function declare() {
  const made = "build/index.d.ts";
  await run(
    "dts-bundle-generator/dist/bin/dts-bundle-generator.js",
    // `npm run check` checks the types.
    ...["--silent", "--no-banner", "--no-check", "--project", "tsconfig.json", "-o", made, "src/index.ts"],
  );
  // Symbol.dispose, for users whose `lib` is older than it.
  writeFileSync(made, `/// <reference lib="esnext.disposable" />\n${readFileSync(made, "utf8")}`);
  copyFileSync(made, "build/index.d.cts");
}

// ----------------------------------------------------------------------------- what is made

/** When a file, or the latest of a folder, was written; −∞ where there is none. */
function written(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return Number.NEGATIVE_INFINITY;
  const names = stat.isDirectory() ? readdirSync(path) : [];
  return Math.max(stat.mtimeMs, ...names.map((name) => written(`${path}/${name}`)));
}

const started = {};

/** Makes what a step makes, after the steps that it needs; once. */
function make(name) {
  started[name] ??= (async () => {
    const { makes, reads, after = [], make: step } = steps[name];
    await Promise.all(after.map(make));
    const sources = [...reads, "build.js", "package-lock.json"].map(written);
    const files = makes.map((file) => `build/${file}`);
    if (Math.min(...files.map(written)) > Math.max(...sources)) return;
    // To stderr: what npm pack --json prints is read by others.
    console.error(`building ${files[0]}`);
    const start = performance.now();
    await step();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.error(`built ${files[0]}, ${(statSync(files[0]).size / 1000).toFixed(1)} kB, in ${seconds} s`);
  })();
  return started[name];
}

const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !(name in steps));
if (unknown !== undefined) throw new Error(`${unknown}: expected ${Object.keys(steps).join(", ")}`);
const all = Object.keys(steps).filter((name) => name !== "probe");
await Promise.all((chosen.length > 0 ? chosen : all).map(make));
