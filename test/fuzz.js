// npm run fuzz -- [--runs N | --minutes M] [--seed S] [--backend wasm|javascript] [--path P]
// [--family layers|samples|images|foldings]: random calls for as long as you like. A failure prints its seed and path,
// which bring it back.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const names = ["runs", "minutes", "seed", "backend", "family", "path"];
const options = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
const { values } = parseArgs({ options });
values.runs ??= values.minutes === undefined ? "10000" : String(2 ** 31 - 1);
values.seed ??= String(Date.now() % 2 ** 31);
const env = { ...process.env };
for (const name of names) if (values[name] !== undefined) env[`FUZZ_${name.toUpperCase()}`] = values[name];
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "node", "test/node/random.test.ts"];
const cwd = fileURLToPath(new URL("..", import.meta.url));
process.exitCode = spawnSync(process.execPath, vitest, { cwd, env, stdio: "inherit" }).status ?? 1;
