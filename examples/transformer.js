// The normalizations of a transformer's block, at the sizes of a small sentence encoder: what they take as one would
// write them, what they take here, and what a whole block gains. Run it with `node examples/transformer.js`.

import { LayerNorm, RMSNorm, Tensor } from "simdnorm";

const [TOKENS, HIDDEN, WIDE] = [128, 384, 1536];
const values = (length, scale) =>
  Float32Array.from({ length }, (_, i) => scale * Math.sin(i * 1.618 + i ** 2));

/** The loop that one would write: x += what the layer before has added; then y = its norm. */
function plainNorm(x, added, y, { gamma, beta, epsilon }) {
  for (let row = 0; row < x.length; row += HIDDEN) {
    let mean = 0;
    for (let j = 0; j < HIDDEN; j++) {
      x[row + j] += added[row + j];
      mean += x[row + j];
    }
    mean /= HIDDEN;
    let variance = 0;
    for (let j = 0; j < HIDDEN; j++) variance += (x[row + j] - mean) ** 2;
    const scale = 1 / Math.sqrt(variance / HIDDEN + epsilon);
    for (let j = 0; j < HIDDEN; j++) y[row + j] = (x[row + j] - mean) * scale * gamma[j] + beta[j];
  }
}

/** y = x·w, four rows at a time: the rest of a block, with no library either. */
function multiply(x, w, y, inner, outer) {
  y.fill(0);
  for (let row = 0; row < TOKENS; row += 4) {
    for (let k = 0; k < inner; k++) {
      const [a, b, c, d] = [0, 1, 2, 3].map((i) => x[(row + i) * inner + k]);
      for (let j = 0; j < outer; j++) {
        const v = w[k * outer + j];
        y[row * outer + j] += a * v;
        y[(row + 1) * outer + j] += b * v;
        y[(row + 2) * outer + j] += c * v;
        y[(row + 3) * outer + j] += d * v;
      }
    }
  }
}

// One block: attention's output goes through a norm, then the feed-forward network's.
const layer = new LayerNorm(HIDDEN, { gamma: values(HIDDEN, 1), beta: values(HIDDEN, 0.1), epsilon: 1e-12 });
const root = new RMSNorm(HIDDEN, { gamma: layer.gamma, epsilon: 1e-6 });
const stream = values(TOKENS * HIDDEN, 1);
const attention = values(TOKENS * HIDDEN, 0.5);
const feedForward = values(TOKENS * HIDDEN, 0.3);
const normed = new Float32Array(TOKENS * HIDDEN);
const weights = {
  project: values(HIDDEN * HIDDEN, 0.05),
  expand: values(HIDDEN * WIDE, 0.05),
  contract: values(WIDE * HIDDEN, 0.05),
};
const wide = new Float32Array(TOKENS * WIDE);

const tensors = [stream, attention, feedForward, normed].map((array) => new Tensor([TOKENS, HIDDEN], array));

/** Both norms of a block: the residual stream x takes what was added, and its norm goes on. */
const both = (norm, x, first, second, y) => {
  norm.apply(x, { skip: first, sum: x, out: y });
  norm.apply(x, { skip: second, sum: x, out: y });
};
const x = new Float32Array(stream.length);
const [residual, ...rest] = tensors;
const calls = {
  "plain loop, LayerNorm": () => {
    x.set(stream);
    plainNorm(x, attention, normed, layer);
    plainNorm(x, feedForward, normed, layer);
  },
  "LayerNorm on arrays": () => {
    x.set(stream);
    both(layer, x, attention, feedForward, normed);
  },
  "LayerNorm on tensors": () => {
    residual.data.set(stream);
    both(layer, residual, ...rest);
  },
  "RMSNorm on tensors": () => {
    residual.data.set(stream);
    both(root, residual, ...rest);
  },
};

/** Milliseconds of the fastest of many turns: all take turns, so that a busy moment meets all of them. */
function time(calls, turns) {
  const best = Object.fromEntries(Object.keys(calls).map((name) => [name, Number.POSITIVE_INFINITY]));
  for (let turn = 0; turn < turns; turn++) {
    for (const [name, call] of Object.entries(calls)) {
      const start = performance.now();
      call();
      best[name] = Math.min(best[name], performance.now() - start);
    }
  }
  return best;
}

// The same numbers first.
calls["plain loop, LayerNorm"]();
const expected = normed.slice();
calls["LayerNorm on arrays"]();
const apart = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - normed[i])), 0);

const products = () => {
  for (let i = 0; i < 4; i++) multiply(x, weights.project, normed, HIDDEN, HIDDEN);
  multiply(x, weights.expand, wide, HIDDEN, WIDE);
  multiply(wide, weights.contract, normed, WIDE, HIDDEN);
};
// The products take a thousand times as long, and so fewer turns.
const times = { ...time(calls, 30), ...time({ products }, 3) };

console.log(
  `A block of a transformer, ${TOKENS} tokens of ${HIDDEN}: x += attention, norm, x += feed-forward, norm`,
);
const plain = times["plain loop, LayerNorm"];
for (const name of Object.keys(calls)) {
  const factor = `${(plain / times[name]).toFixed(1)} × the plain loop's speed`;
  console.log(`  ${name.padEnd(24)} ${times[name].toFixed(3)} ms   ${factor}`);
}
const gain = (others) => ((others + plain) / (others + times["LayerNorm on tensors"])).toFixed(3);
console.log(`Both LayerNorms agree to ${apart.toExponential(1)}.
The block's products take ${times.products.toFixed(0)} ms as plain loops: a whole block is ${gain(times.products)} × as fast with LayerNorm on
tensors. Beside products of 2 ms, as a library of them may take, it would be ${gain(2)} ×.`);
