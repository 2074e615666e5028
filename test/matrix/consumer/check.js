// What every consumer runs: the package against plain float64 loops, so that neither a missing backend
// nor a wrong result goes unnoticed.

const EPSILON = 1e-5;

/** The worked example, a table, and images in NCHW; the backend that ran them. */
export function check({ BatchNorm, Tensor, backend }) {
  const x = Float32Array.of(2, 4, 3, 5, 4, 6);
  const options = { gamma: [0.5, 2], beta: [1, -1] };
  const y = new BatchNorm(2, options).train(x);
  const root = Math.sqrt(2 / 3 + EPSILON);
  compare("worked example", y, [1 - 0.5 / root, -1 - 2 / root, 1, -1, 1 + 0.5 / root, -1 + 2 / root]);

  layer(BatchNorm, { shape: [1000, 33], axis: -1 });
  layer(BatchNorm, { shape: [2, 3, 20, 20], axis: 1 });

  const tensor = new Tensor([3, 2], x);
  new BatchNorm(2, options).train(tensor, { out: tensor });
  compare("tensor, in place", tensor.data, y);
  tensor.dispose();

  return backend();
}

/** Training and then inference, both as the definition says. */
function layer(BatchNorm, { shape, axis }) {
  const features = shape.at(axis);
  const inner = shape.slice(shape.indexOf(features) + 1).reduce(product, 1);
  const x = Float32Array.from({ length: shape.reduce(product, 1) }, (_, i) => Math.sin(i * i) * 3 + (i % 7));
  const gamma = Array.from({ length: features }, (_, f) => 0.5 + f / features);
  const beta = Array.from({ length: features }, (_, f) => f - 1);

  const count = x.length / features;
  const mean = new Array(features).fill(0);
  const variance = new Array(features).fill(0);
  const feature = (i) => Math.floor(i / inner) % features;
  x.forEach((value, i) => {
    mean[feature(i)] += value / count;
  });
  x.forEach((value, i) => {
    variance[feature(i)] += (value - mean[feature(i)]) ** 2 / count;
  });
  const normalized = (means, variances) =>
    Array.from(x, (value, i) => {
      const f = feature(i);
      const root = Math.sqrt(variances[f] + EPSILON);
      return ((value - means[f]) / root) * gamma[f] + beta[f];
    });

  const bn = new BatchNorm(features, { axis, gamma, beta });
  compare(`train ${shape}`, bn.train(x, { shape }), normalized(mean, variance));
  const unbiased = count / (count - 1);
  compare(
    `infer ${shape}`,
    bn.infer(x, { shape }),
    normalized(
      mean.map((value) => 0.1 * value),
      variance.map((value) => 0.9 + 0.1 * value * unbiased),
    ),
  );
}

function product(a, b) {
  return a * b;
}

/** Float32 results of moderate size: within a millionth of the larger of 1 and the exact value. */
function compare(what, got, expected) {
  if (got.length !== expected.length)
    throw new Error(`${what}: expected ${expected.length} values, got ${got.length}`);
  expected.forEach((value, i) => {
    if (!(Math.abs(got[i] - value) <= 1e-6 * Math.max(1, Math.abs(value))))
      throw new Error(`${what}: expected ${value} at ${i}, got ${got[i]}`);
  });
}
