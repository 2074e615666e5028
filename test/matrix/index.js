// npm run matrix -- [package | types | programs | runtimes | tfjs | browsers | page | bundlers]…: the checks of this
// folder, or only the named ones. Every one runs, and a failure fails them all. `table` writes what they found into
// docs/environments.md.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const checks = ["package", "types", "programs", "runtimes", "tfjs", "browsers", "page", "bundlers"];
const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => ![...checks, "table"].includes(name));
if (unknown !== undefined) throw new Error(`${unknown}: expected ${checks.join(", ")} or table`);

for (const name of chosen.length > 0 ? chosen : checks) {
  console.log(`\n${name}\n`);
  const script = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  const { status } = spawnSync(process.execPath, [script], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
