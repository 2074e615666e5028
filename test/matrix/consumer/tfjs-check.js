// Batch normalization of TensorFlow.js by the package, against the plain float64 formula, and undone.

const FEATURES = 32;
const SHAPE = [4, 9, 9, FEATURES];
const EPSILON = 1e-3;

/** Runs it on a backend of TensorFlow.js; the package's backend that ran it. */
export async function check({ tf, register, BatchNorm, backend }, name) {
  let calls = 0;
  const { infer } = BatchNorm.prototype;
  BatchNorm.prototype.infer = function (...args) {
    calls++;
    return infer.apply(this, args);
  };
  await tf.setBackend(name);
  const numbers = (length, number) => Float32Array.from({ length }, (_, i) => number(i));
  const x = numbers(4 * 9 * 9 * FEATURES, (i) => Math.sin(i * i) * 3 + (i % 7));
  const [mean, variance, offset, scale] = [
    (j) => j / 16,
    (j) => 0.5 + j / 10,
    (j) => 3 - j / 8,
    (j) => 0.5 + j / FEATURES,
  ].map((number) => numbers(FEATURES, number));
  const parameters = [mean, variance, offset, scale].map((values) => tf.tensor1d(values));
  const run = () => tf.batchNorm(tf.tensor(x, SHAPE), ...parameters, EPSILON).dataSync();

  const undo = register(name);
  for (const [i, got] of run().entries()) {
    const j = i % FEATURES;
    const expected = ((x[i] - mean[j]) / Math.sqrt(variance[j] + EPSILON)) * scale[j] + offset[j];
    // Float32 results of moderate size: within a millionth of the larger of 1 and the exact value.
    if (!(Math.abs(got - expected) <= 1e-6 * Math.max(1, Math.abs(expected))))
      throw new Error(`expected ${expected} at ${i}, got ${got}`);
  }
  undo();
  run();
  BatchNorm.prototype.infer = infer;
  if (calls !== 1) throw new Error(`expected 1 call, and none when undone, got ${calls}`);
  return backend();
}
