// npm run bench -- coldstart: what the first result costs a fresh process, over one that does nothing (of which Node's
// module loader takes its part, whatever is imported). Median of many, taken in turn.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const RUNS = 25;

const layer = 'import { BatchNorm } from "simdnorm"; const layer = new BatchNorm(2);';
const programs = {
  "a bare process": "",
  "import nothing": 'import "data:text/javascript,";',
  "import simdnorm": 'import "simdnorm";',
  "import and infer": `${layer} layer.infer(Float32Array.of(2, 4, 3, 5, 4, 6));`,
  "import and train": `${layer} layer.train(Float32Array.of(2, 4, 3, 5, 4, 6));`,
};

function milliseconds(program) {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`failed: ${program}`);
  return performance.now() - start;
}

const times = Object.keys(programs).map(() => []);
for (let run = 0; run < RUNS; run++) {
  for (const [i, program] of Object.values(programs).entries()) times[i].push(milliseconds(program));
}
const medians = times.map((list) => list.sort((a, b) => a - b)[RUNS >> 1]);
for (const [i, name] of Object.keys(programs).entries()) {
  const over = i === 0 ? "" : ` (+${(medians[i] - medians[0]).toFixed(1)})`;
  console.log(`${name.padEnd(17)} ${medians[i].toFixed(1).padStart(6)} ms${over}`);
}
