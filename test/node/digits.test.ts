// The network of the digits example: its gradients, batch normalization's among them, against finite differences.

import { expect, test } from "vitest";
// @ts-expect-error: the examples are JavaScript without types.
import { generator, Network } from "../../examples/network.js";

test.each([true, false])("the gradients are the slopes of the loss (normalized: %s)", (normalized) => {
  const random = generator(7);
  const network = new Network([5, 8, 6, 4], { normalized, random });
  const x = Float32Array.from({ length: 16 * 5 }, random);
  const labels = Array.from({ length: 16 }, (_, i) => i % 4);

  const { gradients } = network.train(x, labels);
  const step = 1e-3;
  let error = 0;
  let size = 0;
  for (const [i, values] of network.parameters.entries()) {
    for (const [j, value] of values.entries()) {
      const [above, below] = [step, -step].map((change) => {
        values[j] = value + change;
        return network.train(x, labels).loss;
      });
      values[j] = value;
      error += (gradients[i][j] - (above - below) / (2 * step)) ** 2;
      size += gradients[i][j] ** 2;
    }
  }
  expect(size).toBeGreaterThan(0.01);
  // float32 rounds the loss, and a ReLU's kink may lie within the step.
  expect(Math.sqrt(error / size)).toBeLessThan(0.01);
});
