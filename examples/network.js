// A network of dense layers with ReLU and a softmax at the end, in plain JavaScript, with or without batch
// normalization before each ReLU. The normalization is the library's: train, infer and backward. The network may be
// one of a group of replicas, each of which sees a part of every batch.

import { BatchNorm, Moments } from "simdnorm";

/** Uniform numbers in [0, 1), the same for the same seed (xorshift32). */
export function generator(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b9);
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/**
 * a·b (rows × columns, over `inner`), each operand with its own strides, so that a transposed one costs
 * nothing. Tiles of 2 × 4 sums stay in registers; the last tile overlaps the one before it.
 */
function multiply(a, aRow, aInner, b, bInner, bColumn, rows, inner, columns) {
  const product = new Float32Array(rows * columns);
  for (let tile = 0; tile < rows; tile += 2) {
    const row = Math.min(tile, rows - 2);
    for (let start = 0; start < columns; start += 4) {
      const column = Math.min(start, columns - 4);
      let [s0, s1, s2, s3, t0, t1, t2, t3] = [0, 0, 0, 0, 0, 0, 0, 0];
      let p = row * aRow;
      let q = column * bColumn;
      for (let k = 0; k < inner; k++, p += aInner, q += bInner) {
        const s = a[p];
        const t = a[p + aRow];
        const b0 = b[q];
        const b1 = b[q + bColumn];
        const b2 = b[q + 2 * bColumn];
        const b3 = b[q + 3 * bColumn];
        s0 += s * b0;
        s1 += s * b1;
        s2 += s * b2;
        s3 += s * b3;
        t0 += t * b0;
        t1 += t * b1;
        t2 += t * b2;
        t3 += t * b3;
      }
      const above = row * columns + column;
      product[above] = s0;
      product[above + 1] = s1;
      product[above + 2] = s2;
      product[above + 3] = s3;
      const below = above + columns;
      product[below] = t0;
      product[below + 1] = t1;
      product[below + 2] = t2;
      product[below + 3] = t3;
    }
  }
  return product;
}

/** y = activation(x·weights + bias), or activation(batchNorm(x·weights)): its beta takes the bias's place. */
class Dense {
  constructor(inputs, outputs, { normalized, activated, random, group }) {
    Object.assign(this, { inputs, outputs, activated, group });
    // He et al. 2015: keeps the variance through a ReLU.
    const deviation = Math.sqrt(2 / inputs);
    this.weights = Float32Array.from({ length: inputs * outputs }, () => deviation * normal(random));
    if (normalized) this.norm = new BatchNorm(outputs);
    else this.bias = new Float32Array(outputs);
  }

  #linear(x) {
    const { inputs, outputs, weights, bias } = this;
    const z = multiply(x, inputs, 1, weights, outputs, 1, x.length / inputs, inputs, outputs);
    if (bias) for (let i = 0; i < z.length; i++) z[i] += bias[i % outputs];
    return z;
  }

  infer(x) {
    const y = this.#linear(x);
    if (this.norm) this.norm.infer(y, { out: y });
    return this.activated ? relu(y) : y;
  }

  /** As `infer`, but normalizes by the batch, with a group by that of all replicas; keeps what `backward` needs. */
  train(x) {
    const { norm, outputs, group } = this;
    const z = this.#linear(x);
    const moments = norm && group?.moments(new Moments(outputs).add(z));
    const y = norm ? norm.train(z, { moments }) : z;
    // In place is safe: only a norm needs z again, and with a norm y is another array.
    this.trained = { x, z, y: this.activated ? relu(y) : y };
    return y;
  }

  /** The gradient for x from the one for y, which it overwrites; keeps the gradients of the parameters. */
  backward(dy) {
    const { inputs, outputs, weights, norm, group } = this;
    const { x, z, y } = this.trained;
    const rows = x.length / inputs;
    if (this.activated) for (let i = 0; i < dy.length; i++) if (!(y[i] > 0)) dy[i] = 0;
    if (norm && group) {
      const part = norm.gradients(z, dy);
      const [dGamma, dBeta] = group.sum([part.dGamma, part.dBeta]);
      norm.backward(z, dy, { out: dy, gradients: { dGamma, dBeta } });
      this.gradients = [part.dGamma, part.dBeta];
    } else if (norm) {
      const { dGamma, dBeta } = norm.backward(z, dy, { out: dy });
      this.gradients = [dGamma, dBeta];
    } else {
      const dBias = new Float32Array(outputs);
      for (let i = 0; i < dy.length; i++) dBias[i % outputs] += dy[i];
      this.gradients = [dBias];
    }
    this.gradients.push(multiply(x, 1, inputs, dy, outputs, 1, inputs, rows, outputs));
    return multiply(dy, outputs, 1, weights, 1, outputs, rows, outputs, inputs);
  }

  get parameters() {
    const { norm, bias, weights } = this;
    return norm ? [norm.gamma, norm.beta, weights] : [bias, weights];
  }
}

function relu(y) {
  for (let i = 0; i < y.length; i++) if (y[i] < 0) y[i] = 0;
  return y;
}

/**
 * Layers of the given sizes, from the inputs to the classes; every size but the batch's is at least 4. With a `group`
 * its replicas, made alike, take each step together; unless `synchronized` is false they share the statistics, too.
 */
export class Network {
  constructor(sizes, { normalized, random, group, synchronized = true }) {
    const last = sizes.length - 2;
    this.group = group;
    this.layers = sizes.slice(1).map(
      (size, i) =>
        new Dense(sizes[i], size, {
          normalized: normalized && i < last,
          activated: i < last,
          random,
          group: synchronized ? group : undefined,
        }),
    );
  }

  /** Arrays to change in place, and after `gradients` the gradient of each. */
  get parameters() {
    return this.layers.flatMap((layer) => layer.parameters);
  }

  /** What inference uses besides the parameters. */
  get running() {
    return this.layers.flatMap(({ norm }) => (norm ? [norm.runningMean, norm.runningVariance] : []));
  }

  /** The mean cross-entropy of a batch of so many samples, with the gradients of all parameters; of a part its share. */
  train(x, labels, count = labels.length) {
    const y = this.layers.reduce((values, layer) => layer.train(values), x);
    const loss = crossEntropy(y, labels, count);
    this.layers.reduceRight((gradient, layer) => layer.backward(gradient), y);
    return { loss, gradients: this.layers.flatMap((layer) => layer.gradients) };
  }

  /** One step of plain gradient descent on a batch, or on this replica's part of one of so many samples. */
  step(x, labels, rate, count) {
    const { loss, gradients } = this.train(x, labels, count);
    const sums = this.group?.sum(gradients) ?? gradients;
    for (const [i, values] of this.parameters.entries()) {
      for (let j = 0; j < values.length; j++) values[j] -= rate * sums[i][j];
    }
    return loss;
  }

  infer(x) {
    return this.layers.reduce((values, layer) => layer.infer(values), x);
  }

  /** The share of samples whose largest output is at their label. */
  accuracy(x, labels) {
    const y = this.infer(x);
    const classes = y.length / labels.length;
    const hits = labels.filter((label, row) => {
      const outputs = y.subarray(row * classes, (row + 1) * classes);
      return outputs.every((output, j) => j === label || output < outputs[label]);
    });
    return hits.length / labels.length;
  }
}

/** The sum of −log softmax(y)[label] over the count; y becomes its gradient. */
function crossEntropy(y, labels, count) {
  const classes = y.length / labels.length;
  let loss = 0;
  for (const [row, label] of labels.entries()) {
    const outputs = y.subarray(row * classes, (row + 1) * classes);
    const largest = Math.max(...outputs);
    const sum = outputs.reduce((total, output) => total + Math.exp(output - largest), 0);
    loss += Math.log(sum) + largest - outputs[label];
    for (let j = 0; j < classes; j++) {
      outputs[j] = (Math.exp(outputs[j] - largest) / sum - (j === label ? 1 : 0)) / count;
    }
  }
  return loss / count;
}
