// The obvious JavaScript: loops in memory order, two passes for the statistics, the root once per feature.
// Entries as in operations.js. Rows of features have a double loop of their own, as anyone would write it.

import { parameters } from "./shapes.js";

export const naive = {
  infer(shape, { x, y }, given = parameters(shape)) {
    const { epsilon, gamma, beta, runningMean, runningVariance } = given;
    const scale = new Float64Array(shape.features);
    return () => {
      for (let j = 0; j < shape.features; j++) {
        scale[j] = gamma[j] / Math.sqrt(runningVariance[j] + epsilon);
      }
      apply(shape, x, y, runningMean, scale, beta);
    };
  },
  train(shape, { x, y }, given = parameters(shape)) {
    const { epsilon, gamma, beta, runningMean, runningVariance } = given;
    const count = shape.outer * shape.inner;
    return () => {
      const mean = sums(shape, x);
      for (let j = 0; j < shape.features; j++) mean[j] /= count;
      const squares = sumsOfSquares(shape, x, mean);
      const scale = new Float64Array(shape.features);
      for (let j = 0; j < shape.features; j++) {
        const unbiased = squares[j] / (count - 1);
        runningMean[j] += 0.1 * (mean[j] - runningMean[j]);
        runningVariance[j] += 0.1 * (unbiased - runningVariance[j]);
        scale[j] = gamma[j] / Math.sqrt(squares[j] / count + epsilon);
      }
      apply(shape, x, y, mean, scale, beta);
    };
  },
};

function sums({ outer, features, inner }, x) {
  const sum = new Float64Array(features);
  if (inner === 1) {
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < features; j++) sum[j] += x[i * features + j];
    }
  } else {
    for (let i = 0; i < outer * features; i++) {
      const j = i % features;
      for (let p = 0; p < inner; p++) sum[j] += x[i * inner + p];
    }
  }
  return sum;
}

function sumsOfSquares({ outer, features, inner }, x, mean) {
  const sum = new Float64Array(features);
  if (inner === 1) {
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < features; j++) {
        const d = x[i * features + j] - mean[j];
        sum[j] += d * d;
      }
    }
  } else {
    for (let i = 0; i < outer * features; i++) {
      const j = i % features;
      for (let p = 0; p < inner; p++) {
        const d = x[i * inner + p] - mean[j];
        sum[j] += d * d;
      }
    }
  }
  return sum;
}

function apply({ outer, features, inner }, x, y, mean, scale, beta) {
  if (inner === 1) {
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < features; j++) {
        y[i * features + j] = (x[i * features + j] - mean[j]) * scale[j] + beta[j];
      }
    }
  } else {
    for (let i = 0; i < outer * features; i++) {
      const j = i % features;
      for (let p = 0; p < inner; p++) {
        y[i * inner + p] = (x[i * inner + p] - mean[j]) * scale[j] + beta[j];
      }
    }
  }
}
