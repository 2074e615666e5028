// The replicas example, on real threads: synchronized, four of them are one process that sees the whole batch.

import { beforeAll, describe, expect, test } from "vitest";
// @ts-expect-error: the examples are JavaScript without types.
import { trainOnThreads } from "../../examples/replicas/threads.js";
// @ts-expect-error: the examples are JavaScript without types.
import { train } from "../../examples/replicas/training.js";

/** What training ends with. */
interface Trained {
  accuracy: number[];
  parameters: Float32Array[];
  running: Float64Array[];
  answers: Float32Array;
}

const CASES = [
  { title: "16 digits a replica, of its own kinds", batch: 64, rate: 0.1, sorted: true, seed: 1 },
  { title: "2 digits a replica", batch: 8, rate: 0.02, sorted: false, seed: 3 },
];

const largest = (some: ArrayLike<number>[], others: ArrayLike<number>[]) =>
  Math.max(...some.map((values, i) => far(values, others[i])));

function far(values: ArrayLike<number>, others: ArrayLike<number>): number {
  expect(values.length).toBe(others.length);
  return Array.from(values).reduce((most, value, j) => Math.max(most, Math.abs(value - others[j])), 0);
}

const bytes = (arrays: (Float32Array | Float64Array)[]) =>
  Buffer.concat(
    arrays.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  );

describe.each(CASES)("$title", ({ title: _, ...settings }) => {
  let whole: Trained;
  /** The same training, which differs by nothing but the order of its float32 sums. */
  let turned: Trained[];
  let together: Trained[];
  let apart: Trained[];

  beforeAll(async () => {
    const { batch } = settings;
    const given = { ...settings, epochs: 1 };
    whole = train(given);
    turned = [batch / 4, batch / 2, batch - 1].map((turned) => train({ ...given, turned }));
    together = await trainOnThreads(4, { ...given, synchronized: true });
    apart = await trainOnThreads(4, { ...given, synchronized: false });
  }, 120_000);

  /**
   * What the order of float32 sums explains: replicas add the same float32 products in another order, as one process
   * does whose batches are turned. 8 times the most that three such orders make, because there are more than three.
   */
  const explained = (of: (trained: Trained) => ArrayLike<number>[]) => {
    const most = Math.max(...turned.map((other) => largest(of(other), of(whole))));
    // No ReLU's input lay so near 0 that an order decides its gradient: these are roundings, not other trainings.
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(2e-5);
    return 8 * most;
  };

  test("every replica has the same weights and running statistics, to the bit", () => {
    expect(together.length).toBe(4);
    for (const replica of together) {
      expect(bytes(replica.parameters).equals(bytes(together[0].parameters))).toBe(true);
      expect(bytes(replica.running).equals(bytes(together[0].running))).toBe(true);
      expect(replica.accuracy).toEqual(together[0].accuracy);
    }
  });

  test("synchronized, they have one process's weights, running statistics and answers", () => {
    const [replica] = together;
    for (const of of [
      ({ parameters }: Trained) => parameters,
      ({ running }: Trained) => running,
      ({ answers }: Trained) => [answers],
    ]) {
      expect(largest(of(replica), of(whole))).toBeLessThanOrEqual(explained(of));
    }
  });

  test("synchronized, they are as accurate, up to answers that roundings can decide", () => {
    const margin = 2 * explained(({ answers }) => [answers]);
    const close = rowsOf(whole.answers).filter((row) => {
      const [first, second] = row.sort((a, b) => b - a);
      return first - second <= margin;
    });
    const count = whole.answers.length / 10;
    expect(close.length).toBeLessThan(count / 100);
    const change = Math.abs(together[0].accuracy[0] - whole.accuracy[0]) * count;
    expect(Math.round(change)).toBeLessThanOrEqual(close.length);
  });

  test("not synchronized, they share weights, but are another training, and worse", () => {
    for (const replica of apart) {
      expect(bytes(replica.parameters).equals(bytes(apart[0].parameters))).toBe(true);
    }
    expect(bytes(apart[1].running).equals(bytes(apart[0].running))).toBe(false);
    expect(largest(apart[0].parameters, whole.parameters)).toBeGreaterThan(0.01);
    expect(apart[0].accuracy[0]).toBeLessThan(whole.accuracy[0] - 0.1);
  });
});

/** The answers to each test: one number for each of the ten digits. */
function rowsOf(answers: Float32Array): number[][] {
  return Array.from({ length: answers.length / 10 }, (_, row) =>
    Array.from(answers.subarray(10 * row, 10 * (row + 1))),
  );
}

test("where one replica fails the others, which wait for it, are ended, and its error is told", async () => {
  // Of 3 digits the first of two replicas has one, which has no variance; the other is at the barrier.
  const settings = { seed: 1, batch: 3, rate: 0.02, epochs: 1, synchronized: false };
  await expect(trainOnThreads(2, settings)).rejects.toThrow("expected at least 2 values per feature");
});
