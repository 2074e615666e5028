// What is packed, as its judges see it, and as npm makes it from a clone.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { consumerOfCommit, pack, root } from "./consumer.js";
import { versionOf } from "./installed.js";
import { cell, report } from "./report.js";

const folder = mkdtempSync(join(tmpdir(), "simdnorm-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const tarball = pack(folder);

for (const [environment, ...args] of [
  ["publint", "run", "--strict", tarball],
  // A module and a manifest have no types.
  [
    "attw",
    "--exclude-entrypoints",
    "./kernels.wasm",
    "./pixels.wasm",
    "./rows.wasm",
    "./statistics.wasm",
    "./package.json",
    "--",
    tarball,
  ],
]) {
  const binary = join(root, "node_modules/.bin", environment);
  const run = async () => {
    await promisify(execFile)(binary, args, { cwd: folder });
    return "clean";
  };
  await cell({ environment, version: versionOf(binary), how: "tarball", expected: "clean" }, run);
}

const install = async () => {
  const { stdout } = await promisify(execFile)("node", ["import.js"], { cwd: consumerOfCommit() });
  return stdout;
};
await cell(
  { environment: "npm", version: versionOf("npm"), how: "install from git", expected: "wasm" },
  install,
);

report("package");
