// Both networks in their three ways, on several pictures; and the program.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as keras from "./keras.js";
import * as onnx from "./onnx.js";

/** Half a unit in the last place of 1. */
const u = 2 ** -24;

const most = (values) => values.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0);

/** The largest difference, in parts of the largest value. */
function difference(values, others) {
  assert.equal(values.length, others.length);
  assert.ok(values.every(Number.isFinite));
  return most(values.map((v, i) => v - others[i])) / most(values);
}

const place = (values) => values.indexOf(Math.max(...values));

for (const [name, { load }, expected] of [
  ["Keras", keras, { norms: 52, features: 1280, answers: 5, epsilon: 1e-3 }],
  // The file holds epsilon as float32.
  ["ONNX", onnx, { norms: 35, features: 200, answers: 2, epsilon: Math.fround(1e-5) }],
]) {
  describe(name, () => {
    let network;
    const runs = [];

    before(async () => {
      network = await load();
      for (const first of [0, 100, 200]) {
        for (const turned of [false, true]) {
          const x = network.input(first, turned);
          runs.push({
            whole: await network.whole(x),
            unfolded: await network.unfolded(x),
            folded: await network.folded(x),
          });
        }
      }
    });

    test("all of its batch norms are ours, with its conventions", () => {
      assert.equal(network.norms.size, expected.norms);
      for (const norm of network.norms.values()) {
        assert.equal(norm.epsilon, expected.epsilon);
        assert.equal(norm.unbiased, false);
        assert.ok(norm.runningVariance.every((v) => v >= 0));
        assert.notDeepEqual(norm.gamma, new Float32Array(norm.features).fill(1));
      }
    });

    test("folded and unfolded agree to 10⁻⁵", () => {
      for (const { unfolded, folded } of runs) {
        for (const what of ["features", "answers"]) {
          assert.equal(folded[what].length, expected[what]);
          assert.ok(difference(unfolded[what], folded[what]) <= 1e-5);
        }
      }
    });

    // A sum of K products rounds K times, each time by at most u of itself, up or down: √K·u. What layers add is
    // independent, too, and a norm keeps its size: √ΣK·u. Of a thousand features the worst is 4 such deviations off.
    test("both agree with the framework's own answers, up to roundings of its sums", () => {
      const products = network.products.reduce((sum, count) => sum + count, 0);
      const tolerance = 4 * u * Math.sqrt(products);
      for (const { whole, unfolded, folded } of runs) {
        for (const other of [unfolded, folded]) {
          assert.ok(difference(whole.features, other.features) <= tolerance);
          assert.ok(difference(whole.answers, other.answers) <= tolerance);
          assert.equal(place(whole.answers), place(other.answers));
        }
      }
    });

    test("the answers are of the pictures", () => {
      const [{ whole: one }, { whole: other }] = runs;
      assert.ok(difference(one.features, other.features) > 0.1);
      for (const { whole } of runs) {
        const sum = whole.answers.reduce((total, chance) => total + chance, 0);
        assert.ok(Math.abs(sum - 1) <= expected.answers * u * 2);
      }
    });
  });
}

test("the program says the same", async () => {
  const script = fileURLToPath(new URL("index.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  const found = [...stdout.matchAll(/differ by (\S+) of the largest feature, (\S+) of the largest answer/g)];
  assert.equal(found.length, 6);
  for (const [, features, answers] of found) {
    assert.ok(Number(features) <= 1e-5);
    assert.ok(Number(answers) <= 1e-5);
  }
  assert.match(stdout, /52 batch norms, convolutions by TensorFlow\.js/);
  assert.match(stdout, /35 batch norms, convolutions by ONNX Runtime/);
});
