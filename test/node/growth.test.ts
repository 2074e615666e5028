// Linear memory that grows during a call leaves every view of it with length 0, also the views that the call was given;
// and a view that is held keeps its tensor.

import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Affine, BatchNorm, Extrema, init, MinMaxScaler, Moments, StandardScaler, Tensor } from "simdnorm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

const module = new WebAssembly.Module(readFileSync(new URL("../../build/kernels.wasm", import.meta.url)));
let probe: Tensor;
/** A memory of its own for every test, which is small at first. */
beforeEach(() => {
  init({ module });
  probe = new Tensor([1]);
});

/** What takes memory, until a test ends. */
const held: unknown[] = [];
afterEach(() => {
  for (const each of held.splice(0)) if (each instanceof Tensor) each.dispose();
});

const size = () => probe.data.buffer.byteLength;

const N = 30_000;
const ramp = Float32Array.from({ length: N }, (_, i) => (i % 1000) - 500);

/** Calls until the memory has grown during a call, and checks what the first and the last return. */
function untilGrown(call: () => ArrayLike<number>, expected: ArrayLike<number>): void {
  const before = size();
  for (let i = 0; size() === before; i++) {
    expect(i).toBeLessThan(1000);
    const y = call();
    if (size() > before || i === 0) expect(Array.from(y)).toEqual(Array.from(expected));
  }
}

const keep = <Held>(each: Held): Held => {
  held.push(each);
  return each;
};

describe("a call that grows the memory takes the views it was given", () => {
  const shape = [N, 1];
  const doubled = ramp.map((value) => 2 * value);

  test("new Tensor", () => {
    const x = keep(new Tensor(shape, ramp));
    untilGrown(() => keep(new Tensor(x.shape, x.data)).data, ramp);
  });

  test("residual", () => {
    const x = keep(new Tensor(shape, ramp));
    const map = new Affine(1);
    untilGrown(() => keep(map.apply(x, { residual: x.data.subarray(0) })).data, doubled);
  });

  test("dy", () => {
    const x = keep(new Tensor(shape, ramp));
    const dy = keep(new Tensor(shape, ramp));
    const bn = new BatchNorm(1);
    keep(bn.train(x));
    const { dx } = bn.backward(ramp, ramp);
    untilGrown(() => keep(bn.backward(x, dy.data).dx).data, dx);
  });

  // A map's table of as many features as x has values takes three times as much as x.
  const wide = () => new Affine(N, { scale: new Float32Array(N).fill(2) });

  const rows = Float32Array.from({ length: 2 * N }, (_, i) => (i % 2 === 0 ? -1 : 1) * (1 + (i % 7)));
  const standard = new StandardScaler(N).fit(rows);
  const range = new MinMaxScaler(N).fit(rows);
  const tables: Record<string, [call: (x: Float32Array) => ArrayLike<number>, expected: Float32Array]> = {
    fitTransform: [(x) => keep(new StandardScaler(N)).fitTransform(x), standard.transform(rows)],
    inverseTransform: [
      (x) => keep(new StandardScaler(N)).fit(rows).inverseTransform(x),
      standard.inverseTransform(rows),
    ],
    transform: [(x) => keep(new MinMaxScaler(N)).fit(rows).transform(x), range.transform(rows)],
    apply: [(x) => keep(wide()).apply(x), rows.map((value) => 2 * value)],
  };
  test.each(Object.entries(tables))("x of %s", (_, [call, expected]) => {
    const x = keep(new Tensor([2, N], rows));
    untilGrown(() => call(x.data), expected);
  });

  test("out, which is returned as a view of where it is now", () => {
    const y = keep(new Tensor(shape));
    untilGrown(() => keep(wide()).apply(ramp, { out: y.data }), doubled);
    expect(y.data).toEqual(doubled);
  });
});

test("a view that is stale is refused, and says what to do", () => {
  const x = keep(new Tensor([N], ramp));
  const view = x.data;
  for (const before = size(); size() === before; ) keep(new Tensor([10 * N]));
  for (const call of [
    () => new BatchNorm(1).infer(view),
    () => new Moments(1).add(view),
    () => new StandardScaler(1).fit(view),
  ]) {
    expect(call).toThrow(
      "x: expected an array in use, got one whose memory was moved (read tensor.data again)",
    );
  }
  expect(() => new Tensor([0], view)).toThrow("data: expected an array in use");
  expect(x.data).toEqual(ramp);
});

describe("views that end where the memory ends", () => {
  // Reductions read up to 28 bytes behind the last row; what stands there is the allocator's, and is not written to.
  test.each([0, 4, 8, 28, 32, 36])("less %i bytes", (less) => {
    const { buffer } = probe.data;
    for (const features of [1, 3, 5]) {
      // More than calls on arrays have that run in JavaScript.
      const length = 150 * features;
      const view = new Float32Array(buffer, buffer.byteLength - less - 4 * length, length);
      const results = (x: Float32Array) => {
        const bn = new BatchNorm(features);
        const planes = new BatchNorm(features, { axis: 0 });
        const shape = [features, 150];
        return [
          new Moments(features).add(x).mean,
          new Extrema(features).add(x).max,
          bn.train(x),
          bn.backward(x, x).dx,
          planes.train(x, { shape }),
          planes.backward(x, x, { shape }).dx,
          bn.infer(x, { residual: x }),
        ];
      };
      expect(results(view)).toEqual(results(Float32Array.from(view)));
    }
  });
});

describe("a held view", () => {
  /** What a function leaves behind is collected, and its memory taken by others. */
  async function after<Kept>(make: () => Kept): Promise<Kept> {
    const kept = make();
    for (let round = 0; round < 3; round++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (let i = 0; i < 50; i++) keep(new Tensor([1000], new Float32Array(1000).fill(9)));
    return kept;
  }

  test("keeps its tensor", async () => {
    const views = await after(() => Array.from({ length: 20 }, () => new Tensor([1000]).data.fill(7)));
    for (const view of views) if (view.length > 0) expect(view.every((value) => value === 7)).toBe(true);
    expect(views.some((view) => view.length > 0)).toBe(true);
  });

  test("does not keep it longer than itself", async () => {
    const refs = await after(() => Array.from({ length: 20 }, () => new WeakRef(new Tensor([1000]).data)));
    expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  });
});
