// What is measured: tables of growing size, and layers of ResNet-like networks with channels last (NHWC) and
// first (NCHW). Nothing here depends on the library.

/** Rows of features, or of `images` images: `axis` is the last. */
function table(name, rows, features, images = 0) {
  return {
    name: `${name}${rows}×${features}`,
    sizes: images > 0 ? [images, rows / images, features] : [rows, features],
    axis: -1,
    outer: rows,
    features,
    inner: 1,
    length: rows * features,
  };
}

/** Images of planes: `axis` is 1. */
function images(...sizes) {
  const [outer, features, height, width] = sizes;
  return {
    name: `NCHW ${sizes.join("×")}`,
    sizes,
    axis: 1,
    outer,
    features,
    inner: height * width,
    length: outer * features * height * width,
  };
}

/** Rows of a transformer: each is normalized by itself. */
function tokens(rows, features) {
  return { ...table("tokens ", rows, features), tokens: true };
}

export const shapes = [
  table("", 3, 2),
  table("", 32, 64),
  table("", 256, 256),
  table("", 4096, 64),
  table("", 1024, 1024),
  table("", 65536, 256),
  table("", 1000000, 8),
  table("", 1000000, 3),
  table("NHWC ", 12544, 64, 4),
  table("NHWC ", 25088, 64, 8),
  table("NHWC ", 100352, 64, 32),
  table("NHWC ", 49, 2048, 1),
  table("NHWC ", 25088, 128, 32),
  images(1, 64, 112, 112),
  images(8, 64, 56, 56),
  images(32, 64, 56, 56),
  images(1, 2048, 7, 7),
  images(32, 128, 28, 28),
  tokens(1, 384),
  tokens(1, 4096),
  tokens(1024, 64),
  tokens(128, 384),
  tokens(64, 1024),
  tokens(16, 4096),
  tokens(8192, 768),
];

/** What `--quick` measures: one shape of each kind and of each cache. */
export const quick = [
  "3×2",
  "32×64",
  "256×256",
  "1024×1024",
  "NHWC 12544×64",
  "NCHW 8×64×56×56",
  "tokens 128×384",
];

/** Uniform in [−1, 1), the same in every process. */
export function values(length) {
  const x = new Float32Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    x[i] = state / 2 ** 31;
  }
  return x;
}

/**
 * A trained layer's parameters. With gamma = √(variance + epsilon) and beta = mean, values that are normalized
 * in place again and again keep their size: no run drifts into infinities or denormals.
 */
export function parameters({ features }) {
  const mean = Float64Array.from({ length: features }, (_, j) => (j % 7) / 7);
  const variance = mean.map((value) => 1 + value);
  return {
    epsilon: 1e-5,
    gamma: Float32Array.from(variance, (value) => Math.sqrt(value + 1e-5)),
    beta: Float32Array.from(mean),
    runningMean: mean,
    runningVariance: variance,
  };
}
