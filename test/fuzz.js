// npm run fuzz -- [--runs N] [--seed S] [--path P]: random calls for as long as you like. A failure prints its seed and
// path, which bring it back.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const options = { runs: { type: "string" }, seed: { type: "string" }, path: { type: "string" } };
const { runs = "10000", seed = String(Date.now() % 2 ** 31), path } = parseArgs({ options }).values;
const env = { ...process.env, FUZZ_RUNS: runs, FUZZ_SEED: seed, ...(path && { FUZZ_PATH: path }) };
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "node", "test/node/random.test.ts"];
const cwd = fileURLToPath(new URL("..", import.meta.url));
process.exitCode = spawnSync(process.execPath, vitest, { cwd, env, stdio: "inherit" }).status ?? 1;
