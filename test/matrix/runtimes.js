// The packed package in every server and edge runtime: imported and required, with and without WebAssembly.

import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { consumer } from "./consumer.js";
import { cell, report } from "./report.js";

const folder = consumer();
const installed = fileURLToPath(new URL("node_modules/", import.meta.url));
const shipped = join(folder, "node_modules/simdnorm/build");

// ------------------------------------------------------------------------- programs

const programs = [
  ...[20, 22, 24, 26].map((major) => ["Node.js", `node${major}/bin/node`, []]),
  ["Node.js --jitless", "node24/bin/node", ["--jitless"], "javascript"],
  ["Deno", ".bin/deno", ["run", "--allow-read", "--no-lock"]],
  ["Bun", ".bin/bun", []],
];
for (const [environment, program, args, expected = "wasm"] of programs) {
  const binary = join(installed, program);
  const found = existsSync(binary);
  const version = found
    ? execFileSync(binary, ["--version"], { encoding: "utf8" }).match(
        /\d[\w.-]*/,
      )[0]
    : "";
  for (const [how, file] of [
    ["import", "import.js"],
    ["require", "require.cjs"],
  ]) {
    const run = async () => {
      const { stdout, stderr } = await promisify(execFile)(
        binary,
        [...args, file],
        { cwd: folder },
      );
      if (stderr) throw new Error(`expected silence, got ${stderr}`);
      return stdout;
    };
    await cell(
      { environment, version, how, expected, missing: program },
      found ? run : null,
    );
  }
}

// -------------------------------------------------------------------------- workerd

/** Modules as wrangler uploads them: the name that is imported, its kind, its file. */
const uploads = {
  simdnorm: [["simdnorm", "esModule", "index.js"]],
  "simdnorm/edge": [
    ["simdnorm/edge", "esModule", "edge.js"],
    ["simdnorm/index.js", "esModule", "index.js"],
    ["simdnorm/kernels.wasm?module", "wasm", "kernels.wasm"],
  ],
};
const workers = [
  { date: "2025-05-31", entry: "simdnorm", expected: "javascript" },
  { date: "2025-05-31", entry: "simdnorm/edge", expected: "wasm" },
  { date: "2025-06-01", entry: "simdnorm", expected: "wasm" },
  { date: "2025-06-01", entry: "simdnorm/edge", expected: "wasm" },
];

function service({ date, entry }, name) {
  const source = `import { BatchNorm, backend, Tensor } from "${entry}";
import { check } from "./check.js";
export default { fetch: () => new Response(check({ BatchNorm, Tensor, backend })) };`;
  const modules = [
    `(name = "worker.js", esModule = ${JSON.stringify(source)})`,
    `(name = "check.js", esModule = embed "check.js")`,
    ...uploads[entry].map(
      ([module, kind, file]) =>
        `(name = "${module}", ${kind} = embed "node_modules/simdnorm/build/${file}")`,
    ),
  ];
  return `(name = "${name}", worker = (compatibilityDate = "${date}", modules = [${modules}]))`;
}

/** Starts all workers in one process; the URL of each, once it listens. */
async function serve(binary) {
  const config = join(folder, "workers.capnp");
  const sockets = workers.map(
    (_, i) =>
      `(name = "${i}", address = "127.0.0.1:0", http = (), service = "${i}")`,
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

const workerd = join(installed, ".bin/workerd");
const workerdFound = existsSync(workerd);
const version = workerdFound
  ? execFileSync(workerd, ["--version"], { encoding: "utf8" }).match(
      /\d[\w.-]*/,
    )[0]
  : "";
const { child, urls } = workerdFound ? await serve(workerd) : { urls: [] };
for (const [i, { date, entry, expected }] of workers.entries()) {
  const run = async () => (await fetch(urls[i])).text();
  await cell(
    {
      environment: `workerd, compatibility date ${date}`,
      version,
      how: `import ${entry}`,
      expected,
      missing: "workerd",
    },
    workerdFound ? run : null,
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
          onLoad({ filter: /.*/, namespace: "module" }, () => ({
            contents: "export default globalThis.kernels",
          }));
        },
      },
    ],
  });
  return outputFiles[0].text;
}

const edge = existsSync(join(installed, "edge-runtime"))
  ? {
      ...(await import("edge-runtime")),
      version: JSON.parse(
        readFileSync(join(installed, "edge-runtime/package.json")),
      ).version,
    }
  : null;
const kernels = new WebAssembly.Module(
  readFileSync(join(shipped, "kernels.wasm")),
);
for (const [locked, entry, expected] of [
  [false, "simdnorm", "wasm"],
  [true, "simdnorm", "javascript"],
  [true, "simdnorm/edge", "wasm"],
]) {
  const run = async () => {
    const { context } = new edge.EdgeRuntime({
      codeGeneration: { strings: !locked, wasm: !locked },
      extend: (context) => Object.assign(context, { kernels }),
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
