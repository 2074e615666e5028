// node build.js [kernels | debug | index | types | probe]…: makes what is in build/, or only what is named and what
// that needs; without a name all but the bench's probe. What is newer than its sources stays.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import binaryen from "assemblyscript/binaryen";
import { build } from "esbuild";
import { minify } from "terser";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));

/** Characters of a line of what is shipped: an uncaught error prints the whole line that threw it. */
const LINE = 500;

/**
 * The modules, so that a bundle carries the kernels of what it imports: their entries. All but the first work in the
 * memory of the first.
 */
const modules = {
  kernels: ["assembly/index.ts"],
  pixels: ["assembly/pixels.ts"],
  rows: ["assembly/rows.ts", "assembly/rows-backward.ts"],
  statistics: ["assembly/statistics.ts"],
};
const named = (...endings) => Object.keys(modules).flatMap((name) => endings.map((ending) => name + ending));

/** What a step makes, the first file standing for all, what it reads, and the steps that come before it. */
const steps = {
  kernels: {
    makes: [...named(".wasm"), ...named(".wasm", ".wat", ".d.ts").map((name) => `release/${name}`)],
    reads: ["assembly", "asconfig.json"],
    make: async () => {
      await compile("release", "build/release");
      ship();
    },
  },
  // The same kernels with their assertions, for the tests.
  debug: {
    makes: named(".wasm", ".d.ts").map((name) => `debug/${name}`),
    reads: ["assembly", "asconfig.json"],
    make: () => compile("debug", "build/debug"),
  },
  index: {
    makes: ["index.js", "index.cjs", "edge.js", "tfjs.js", "tfjs.cjs"],
    reads: ["src", ...named(".wasm").map((name) => `build/${name}`)],
    after: ["kernels"],
    make: bundle,
  },
  types: {
    makes: ["index.d.ts", "index.d.cts", "tfjs.d.ts", "tfjs.d.cts"],
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

/** The modules whose sources are newer than what they were compiled to. */
async function compile(target, folder) {
  const now = new Date();
  const each = Object.entries(modules).map(([name, entries], i) => {
    const out = `${folder}/${name}.wasm`;
    const sources = [...sourcesOf(entries), "asconfig.json", "build.js", "package-lock.json"];
    if (written(out) > Math.max(...sources.map(written))) {
      // As new as what is compiled beside it.
      for (const ending of ["wasm", "wat", "d.ts"]) utimesSync(`${folder}/${name}.${ending}`, now, now);
      return undefined;
    }
    const files = ["--outFile", out, "--textFile", `${folder}/${name}.wat`];
    const memory =
      i === 0 ? ["--runtime", "minimal", "--initialMemory", "96"] : ["--runtime", "stub", "--importMemory"];
    return run("assemblyscript/bin/asc.js", ...entries, "--target", target, ...files, ...memory);
  });
  await Promise.all(each);
}

/** Files of assembly/, and what they import. */
function sourcesOf(files) {
  const sources = new Set(files);
  for (const file of sources) {
    const imports = readFileSync(file, "utf8").matchAll(/ from "\.\/([\w-]+)"/g);
    for (const [, name] of imports) sources.add(`assembly/${name}.ts`);
  }
  return [...sources];
}

/** A call of a kernel in TypeScript, and in what esbuild makes of it. */
const CALL = /(?<=\bkernels\d*\.)\w+(?=\()/g;

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

const exportsOf = (name) =>
  WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(`build/release/${name}.wasm`)));

/** The kernels that TypeScript calls, and what they are called in what ships: by a letter, 0.3 kB less. */
function lettersOf() {
  const sources = readdirSync("src/wasm").map((name) => readFileSync(`src/wasm/${name}`, "utf8"));
  const called = new Set(sources.join().match(CALL));
  const names = Object.keys(modules).flatMap((name) => exportsOf(name).map((each) => each.name));
  return new Map(names.filter((name) => called.has(name)).map((name, i) => [name, LETTERS[i]]));
}

/**
 * The modules that ship, without the exports that only keep the compiler from inlining blocks (assembly/blocks.ts). In each
 * is written, as a section of its own, what it is called and which build it is of.
 */
function ship() {
  const letters = lettersOf();
  const files = Object.keys(modules).map((name) => {
    const module = binaryen.readBinary(readFileSync(`build/release/${name}.wasm`));
    for (const { kind, name: exported } of exportsOf(name)) {
      if (kind !== "function") continue;
      const letter = letters.get(exported);
      const { value } = binaryen.getExportInfo(module.getExport(exported));
      module.removeExport(exported);
      if (letter !== undefined) module.addFunctionExport(value, letter);
    }
    // Numbered by use, the bytes compress better: 0.1 kB less.
    module.runPasses(["reorder-locals", "reorder-functions"]);
    return { name, bytes: module.emitBinary() };
  });
  const hash = createHash("sha256");
  for (const { bytes } of files) hash.update(bytes);
  const build = hash.digest("hex").slice(0, 8);
  for (const { name, bytes } of files) {
    const section = ["simdnorm", `${name} ${build}`].map((text) => Buffer.from(text));
    const body = Buffer.concat([Buffer.of(section[0].length), ...section]);
    writeFileSync(`build/${name}.wasm`, Buffer.concat([bytes, Buffer.of(0, body.length), body]));
  }
}

/** The entry, self-contained, as an ES module and as CommonJS, and beside it the entries that import it. */
async function bundle() {
  const letters = lettersOf();
  const exported = {};
  for (const [entry, bundle, format, outfile] of [
    ["src/index.ts", true, "esm", "build/index.js"],
    ["src/index.ts", true, "cjs", "build/index.cjs"],
    ["src/edge.ts", false, "esm", "build/edge.js"],
    ["src/tfjs.ts", false, "esm", "build/tfjs.js"],
    ["src/tfjs.ts", false, "cjs", "build/tfjs.cjs"],
  ]) {
    const { outputFiles, metafile } = await build({
      entryPoints: [entry],
      bundle,
      format,
      outfile,
      platform: "neutral",
      target: "es2022",
      plugins: [inlined, doubled],
      // First, so that gzip, which looks back 32 kB, finds all code near other code: 2 kB.
      inject: bundle ? named(".wasm").map((name) => `build/${name}`) : [],
      logLevel: "warning",
      metafile: true,
      write: false,
    });
    // A CommonJS module has no names of its own that are known.
    exported[entry] ??= metafile.outputs[outfile].exports;
    const called = outputFiles[0].text.replaceAll(CALL, (name) => letters.get(name) ?? name);
    const code = await small(unprefixed(called), exported[entry]);
    writeFileSync(outfile, format === "cjs" ? code.replace('"./index.js"', '"./index.cjs"') : code);
  }
}

/** Short names but for those that errors and consoles show: of classes, of methods and of what is exported. */
async function small(code, exported) {
  const { code: smaller } = await minify(code, {
    compress: { inline: false, reduce_funcs: false },
    mangle: { toplevel: true, reserved: exported },
    keep_classnames: true,
    format: { max_line_len: LINE, preserve_annotations: true },
  });
  // A module's text goes on in the next line.
  const line = new RegExp(`[#-[\\]-~]{${LINE}}(?=[#-[\\]-~])`, "g");
  return smaller.replaceAll(/"[#-[\]-~]{1000,}"/g, (text) => text.replaceAll(line, "$&\\\n"));
}

/**
 * A module as text, and its build. Bytes are digits of base 89 and begin at 7 below 0, which are the most frequent ones
 * of a module: a byte is one character, or two. gzip finds bytes that return in it, unlike in base64, which arrives a
 * third longer; hexadecimal digits arrive 7 % longer. They are ASCII, none is a quote, a backslash or a space.
 */
const inlined = {
  name: "inlined",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.wasm$/ }, ({ path }) => {
      const bytes = readFileSync(path);
      const digit = (value) => String.fromCharCode(value + (value < 57 ? 35 : 36));
      const text = Array.from(bytes, (byte) => {
        const value = (byte + 7) & 255;
        return (value < 89 ? "" : digit(88 + Math.floor(value / 89))) + digit(value % 89);
      }).join("");
      const build = bytes.subarray(-8).toString();
      return { contents: `export const build = "${build}", text = ${JSON.stringify(text)};` };
    }),
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
function unprefixed(code) {
  const names = Array.from(code.matchAll(/\b(\w+) = class _\1\b/g), ([, name]) => name);
  return names.reduce((text, name) => text.replaceAll(new RegExp(`\\b_${name}\\b`, "g"), name), code);
}

/** The public declarations, for both kinds of module. */
async function declare() {
  const names = ["index", "tfjs"];
  // Paths from the file that lists them. `npm run check` checks the types; what an entry does not export is not to be
  // imported.
  const entries = names.map((name) => ({
    ...{ filePath: `../src/${name}.ts`, outFile: `${name}.d.ts` },
    ...{ noCheck: true, output: { noBanner: true, exportReferencedTypes: false } },
  }));
  const config = "build/types.json";
  writeFileSync(
    config,
    JSON.stringify({ compilationOptions: { preferredConfigPath: "../tsconfig.json" }, entries }),
  );
  await run("dts-bundle-generator/dist/bin/dts-bundle-generator.js", "--silent", "--config", config);
  // Symbol.dispose, for users whose `lib` is older than it.
  const made = "build/index.d.ts";
  writeFileSync(made, `/// <reference lib="esnext.disposable" />\n${readFileSync(made, "utf8")}`);
  for (const name of names) copyFileSync(`build/${name}.d.ts`, `build/${name}.d.cts`);
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
