// npm run mutate [-- word]: breaks the package in every listed way, or in those whose line has the word, in a copy of it,
// and says which test notices. What no test notices fails, but for what is argued to be equivalent.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mutations } from "./list.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "simdnorm-mutated-"));
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
for (const part of ["src", "assembly", "build"])
  cpSync(join(root, part), join(copy, part), { recursive: true });
cpSync(join(root, "test"), join(copy, "test"), {
  recursive: true,
  filter: (path) => !path.includes("node_modules"),
});
const files = [
  "asconfig.json",
  "build.js",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "vitest.config.ts",
];
for (const file of files) cpSync(join(root, file), join(copy, file));
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));

const run = (...args) => {
  const env = { ...process.env, CI: "", CHROMIUM: "", NO_COLOR: "1" };
  // A loop that never ends is noticed, too.
  const options = { cwd: copy, encoding: "utf8", env, timeout: 600_000 };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
  return { status, text: `${stdout}${stderr}` };
};

const vitest = (tests) => {
  const program = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--project",
    "node",
    "--bail",
    "1",
    "--reporter",
    "dot",
  ];
  return run(...program, ...new Set(tests));
};

// What is whole passes in the copy, too.
const { status, text } = vitest(["test/errors.test.ts", "test/node/kernels-reduce.test.ts"]);
if (status !== 0) throw new Error(text);

const survivors = [];
for (const [file, before, after, tests] of mutations) {
  const line = `${file}: ${before.trim()} → ${after.trim() || "nothing"}`;
  if (process.argv[2] && !line.includes(process.argv[2])) continue;
  const path = join(copy, file);
  const source = readFileSync(path, "utf8");
  if (source.split(before).length !== 2) {
    throw new Error(`${line}: expected it once, got ${source.split(before).length - 1} times`);
  }
  if (tests[0].startsWith("equivalent")) {
    console.log(`${line}\n    ${tests[0]}`);
    continue;
  }
  writeFileSync(
    path,
    source.replace(before, () => after),
  );
  const parts = file.startsWith("assembly") ? ["kernels", "debug", "index"] : ["index"];
  let noticed = run("build.js", ...parts).status === 0 ? undefined : "the build";
  // File by file: most are noticed by the first.
  for (const test of tests) {
    if (noticed !== undefined) break;
    const { status, text } = vitest([test]);
    if (status !== 0) noticed = text.match(/FAIL +(?:\|?node\|? +)?(.*)/)?.[1] ?? "a process that ended";
  }
  if (noticed === undefined) survivors.push(line);
  console.log(`${line}\n    ${noticed ?? "SURVIVED"}`);
  writeFileSync(path, source);
}
console.log(`\n${survivors.length} survived`);
if (survivors.length > 0) process.exitCode = 1;
