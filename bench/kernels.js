// The kernels alone, called through the raw exports of their module, and the probe on the same linear memory.

import { readFileSync } from "node:fs";
import { parameters, values } from "./shapes.js";

function load(name, imports) {
  const bytes = readFileSync(new URL(`../build/${name}.wasm`, import.meta.url));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
}

const kernels = load("release/kernels", {});
const { memory } = kernels;
const { scale } = load("probe", { env: { memory } });

/** The most columns that narrow rows are tiled into: as in src/wasm/walk.ts. */
const WIDE = 1024;

/** Bytes of a map's table per group of 8 features. */
const GROUP = 96;

/** Nothing after the affine step: no residual, no clamp. */
const bare = [0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** Calls on one shape: inference (apply), training (reduce, fold, apply), and the probe. */
export function kernelCalls(shape) {
  const { outer, features, inner, length } = shape;
  const taken = [];
  const take = (bytes) => {
    const pointer = kernels.allocate(bytes + 128) >>> 0;
    taken.push(pointer);
    return pointer + (-pointer & 63);
  };
  const per = Math.ceil(Math.max(features, WIDE) / 8) * 8;
  const x = take(4 * length);
  const y = take(4 * length);
  const [mean, m2] = [8, 8].map((size) => take(size * per));
  const [gamma, beta] = [take(4 * per), take(4 * per)];
  const scratch = take(32 * per);
  // Inference has a table of its own: that of a batch would let its values run away.
  const [frozen, batch] = [0, 1].map(() => ({ table: take(12 * per), wideTable: take(12 * per) }));

  const given = parameters(shape);
  const write = (array, pointer) => new array.constructor(memory.buffer, pointer, array.length).set(array);
  write(values(length), x);
  write(given.gamma, gamma);
  write(given.beta, beta);
  write(given.runningMean, mean);
  write(given.runningVariance, m2);

  const count = outer * inner;
  const copies = inner === 1 ? copiesOf(shape) : 1;
  const stride = 4 * features;

  const fold = (n, { table, wideTable }) => {
    kernels.fold(mean, m2, n, gamma, beta, given.epsilon, features, table);
    if (copies > 1) kernels.tileTable(table, features, 1, features * copies, wideTable, GROUP);
  };
  const reduce = () => {
    if (inner > 1) kernels.planesMoments(x, outer, features, inner, scratch, mean, m2, 0);
    else kernels.columnsMoments(x, outer, features, 1, copies, stride, scratch, mean, m2, 0);
    if (kernels.doubtful(mean, m2, count, features)) {
      throw new Error("the bench's data should need no second look");
    }
  };
  const apply = ({ table, wideTable }) => {
    if (inner > 1) kernels.planesApply(x, x, outer, features, inner, table, 0, ...bare);
    else kernels.columnsApply(x, x, outer, features, copies, stride, copies > 1 ? wideTable : table, ...bare);
  };

  fold(1, frozen);
  return {
    infer: () => apply(frozen),
    train() {
      reduce();
      fold(count, batch);
      apply(batch);
    },
    probes: {
      "in place": () => scale(x, x, length, 1),
      out: () => scale(x, y, length, 1),
    },
    /** The values that infer and train work on. */
    values: () => new Float32Array(memory.buffer, x, length),
    free: () => taken.forEach(kernels.free),
  };
}

/** How many rows are read as one, so that it is wide and has no tail: as in src/wasm/walk.ts. */
function copiesOf({ outer, features }) {
  let copies = 1;
  while ((features * copies) % 8 !== 0 || features * copies < 64) copies++;
  return features * copies <= WIDE && outer >= 32 * copies ? copies : 1;
}
