// npm run bench -- pixels: images to values and back, next to the loops of pixel-loops.js, in turn.

import { fork } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { backend, ImageScaler, Tensor } from "simdnorm";
import { Contender } from "./contender.js";
import { arrayCalls, image, mean, sizes, std } from "./images.js";

const ROUNDS = 25;

if (backend() !== "wasm") throw new Error("WebAssembly SIMD is missing here");

/** Calls on tensors; `resident`: on pixels in linear memory, too. */
function tensorCalls(width, height) {
  const staged = image(width, height, 4);
  const room = new Tensor([width * height]);
  const values = new Tensor([1, 3, height, width]);
  // No tensor is made from here on, so that the view stays where it is.
  const { buffer, byteOffset } = room.data;
  const resident = { ...staged, data: new Uint8ClampedArray(buffer, byteOffset, 4 * width * height) };
  resident.data.set(staged.data);
  const scaler = new ImageScaler({ mean, std });
  return {
    "RGBA → NCHW": {
      resident: () => scaler.apply(resident, { out: values }),
      tensor: () => scaler.apply(staged, { out: values }),
    },
    "NCHW → RGBA": {
      resident: () => scaler.inverse(values, { out: resident }),
      tensor: () => scaler.inverse(values, { out: staged }),
    },
  };
}

/** Which of the loops one would write in place of a call. */
const loops = {
  "RGBA → NCHW": ["best", "usual"],
  "NCHW → RGBA": ["best back", "usual back"],
};

async function measure(width, height) {
  const child = fork(new URL("pixel-loops.js", import.meta.url), [`${width}`, `${height}`]);
  child.on("exit", (code) => code && process.exit(code));
  const arrays = Object.entries(arrayCalls(width, height)).map(([name, array]) => [name, { array }]);
  const tensors = Object.entries(tensorCalls(width, height));
  const rows = [...tensors, ...arrays].flatMap(([name, calls]) =>
    Object.entries(calls).map(([memory, call]) => ({ name, memory, contender: new Contender(call) })),
  );
  let plain;
  for (let round = 0; round < ROUNDS; round++) {
    for (const { contender } of rows) contender.round();
    child.send({});
    [plain] = await once(child, "message");
  }
  child.disconnect();

  const text = (seconds) => ((1e9 * seconds) / (width * height)).toFixed(2).padStart(10);
  const times = (seconds, best) => (seconds === undefined ? "" : (seconds / best).toFixed(1)).padStart(10);
  console.log(`\n${`${width} × ${height}`.padEnd(28)}  ns/pixel    × best   × usual   × tuned`);
  for (const { name, memory, contender } of rows) {
    const others = [...(loops[name] ?? []), name].map((other) => plain[other]);
    const [best, usual, tuned] = name in loops ? others : [undefined, undefined, ...others];
    const cells = [best, usual, tuned].map((seconds) => times(seconds, contender.best));
    console.log(`${name.padEnd(18)}${memory.padEnd(10)}${text(contender.best)}${cells.join("")}`);
  }
  for (const name of Object.values(loops).flat()) {
    console.log(`${`JavaScript, ${name}`.padEnd(28)}${text(plain[name])}`);
  }
}

console.log(`${cpus()[0].model}, Node ${process.versions.node}; the fastest of ${ROUNDS} rounds

resident  pixels and values in linear memory    best   a table per channel, a word per pixel; back: constants folded
tensor    pixels in an array                    usual  the formula, byte by byte
array     both in arrays                        tuned  the library's JavaScript backend`);
for (const [width, height] of sizes) await measure(width, height);
