// The packed package in every server and edge runtime: imported and required, with and without WebAssembly.

import { execFile, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { build } from "esbuild";
import { consumer } from "./consumer.js";
import { library, program } from "./installed.js";
import { cell, report } from "./report.js";

const folder = consumer();

// ------------------------------------------------------------------------- programs

const runtimes = [
  ...[20, 22, 24, 26].map((major) => ["Node.js", `node${major}/bin/node`, []]),
  ["Node.js --jitless", "node24/bin/node", ["--jitless"], "javascript"],
  ["Deno", ".bin/deno", ["run", "--allow-read", "--no-lock"]],
  ["Bun", ".bin/bun", []],
];
for (const [environment, path, args, expected = "wasm"] of runtimes) {
  const runtime = program(path);
  for (const [how, file] of [
    ["import", "import.js"],
    ["require", "require.cjs"],
    ["import simdnorm/edge", "edge.js"],
  ]) {
    const run = async () => {
      const command = [...args, file];
      const { stdout, stderr } = await promisify(execFile)(runtime.binary, command, { cwd: folder });
      if (stderr) throw new Error(`expected silence, got ${stderr}`);
      return stdout;
    };
    const version = runtime?.version;
    await cell({ environment, version, how, expected, missing: path }, runtime && run);
  }
}

// -------------------------------------------------------------------------- workerd

/** Modules as wrangler uploads them: the name that is imported, its kind, its file. */
const uploads = {
  simdnorm: [["simdnorm", "esModule", "index.js"]],
  "simdnorm/edge": [
    ["simdnorm/edge", "esModule", "edge.js"],
    ["simdnorm/index.js", "esModule", "index.js"],
    ...["kernels.wasm", "pixels.wasm", "rows.wasm", "statistics.wasm"].map((file) => [
      `simdnorm/${file}?module`,
      "wasm",
      file,
    ]),
  ],
};
/** From 2025-05-05 on there is FinalizationRegistry, from 2025-06-01 on modules may be compiled at startup. */
const dates = [
  "2021-11-01",
  "2024-01-01",
  "2025-05-04",
  "2025-05-05",
  "2025-05-31",
  "2025-06-01",
  newestDate(),
];
const workers = dates.flatMap((date) => [
  { date, entry: "simdnorm", expected: date < "2025-06-01" ? "javascript" : "wasm" },
  { date, entry: "simdnorm/edge", expected: "wasm" },
]);

/** The newest compatibility date that the installed workerd knows: its version, "1.20261101.1", is that date. */
function newestDate() {
  const [, year, month, day] = library("workerd")?.version.match(/^1\.(\d{4})(\d\d)(\d\d)\./) ?? [];
  return year === undefined ? "newest" : `${year}-${month}-${day}`;
}

function service({ date, entry }, name) {
  const source = `import { BatchNorm, backend, Tensor } from "${entry}";
import { check } from "./check.js";
export default { fetch: () => new Response(check({ BatchNorm, Tensor, backend })) };`;
  const modules = [
    `(name = "worker.js", esModule = ${JSON.stringify(source)})`,
    `(name = "check.js", esModule = embed "check.js")`,
    ...uploads[entry].map(
      ([module, kind, file]) => `(name = "${module}", ${kind} = embed "node_modules/simdnorm/build/${file}")`,
    ),
  ];
  return `(name = "${name}", worker = (compatibilityDate = "${date}", modules = [${modules}]))`;
}

/** Starts all workers in one process; the URL of each, once it listens. */
async function serve(binary) {
  const config = join(folder, "workers.capnp");
  const sockets = workers.map(
    (_, i) => `(name = "${i}", address = "127.0.0.1:0", http = (), service = "${i}")`,
  );
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${workers.map(service)}],
  sockets = [${sockets}],
);\n`,
  );
  const child = spawn(binary, ["serve", "--control-fd=3", config], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  const urls = [];
  for await (const line of createInterface({ input: child.stdio[3] })) {
    const { event, socket, port } = JSON.parse(line);
    if (event === "listen") urls[socket] = `http://127.0.0.1:${port}`;
    if (Object.keys(urls).length === workers.length) break;
  }
  return { child, urls };
}

const workerd = program(".bin/workerd");
const { child, urls } = workerd ? await serve(workerd.binary) : {};
for (const [i, { date, entry, expected }] of workers.entries()) {
  const run = async () => (await fetch(urls[i])).text();
  await cell(
    {
      environment: `workerd, compatibility date ${date}`,
      version: workerd?.version,
      how: `import ${entry}`,
      expected,
      missing: "workerd",
    },
    workerd && run,
  );
}
child?.kill();

// --------------------------------------------------------------------- edge-runtime

/** The consumer as one script, which is what Vercel's build uploads; a .wasm?module comes from outside. */
async function script(entry) {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { BatchNorm, backend, Tensor } from "${entry}";
import { check } from "./check.js";
globalThis.backend = check({ BatchNorm, Tensor, backend });`,
      resolveDir: folder,
    },
    bundle: true,
    write: false,
    plugins: [
      {
        name: "module",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({
            path,
            namespace: "module",
          }));
          onLoad({ filter: /.*/, namespace: "module" }, ({ path }) => ({
            contents: `export default globalThis[${JSON.stringify(path)}]`,
          }));
        },
      },
    ],
  });
  return outputFiles[0].text;
}

const edge = library("edge-runtime");
const fromConsumer = createRequire(join(folder, "package.json"));
const compiled = ["kernels.wasm", "pixels.wasm", "rows.wasm", "statistics.wasm"].map((file) => [
  `./${file}?module`,
  new WebAssembly.Module(readFileSync(fromConsumer.resolve(`simdnorm/${file}`))),
]);
for (const [locked, entry, expected] of [
  [false, "simdnorm", "wasm"],
  [true, "simdnorm", "javascript"],
  [true, "simdnorm/edge", "wasm"],
]) {
  const run = async () => {
    const { EdgeRuntime } = await import("edge-runtime");
    const { context } = new EdgeRuntime({
      codeGeneration: { strings: !locked, wasm: !locked },
      extend: (context) => Object.assign(context, Object.fromEntries(compiled)),
      initialCode: await script(entry),
    });
    return context.backend;
  };
  await cell(
    {
      environment: `edge-runtime${locked ? ", code generation forbidden" : ""}`,
      version: edge?.version,
      how: `import ${entry}`,
      expected,
      missing: "edge-runtime",
    },
    edge && run,
  );
}

report("runtimes");
