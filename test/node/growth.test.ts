// Linear memory that grows during a call leaves every view of it with length 0, also the views that the call was given;
// and a view that is held keeps its tensor.

import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  Affine,
  BatchNorm,
  Extrema,
  ImageScaler,
  InstanceNorm,
  init,
  MinMaxScaler,
  Moments,
  StandardScaler,
  scope,
  Tensor,
} from "simdnorm";
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
  /** A noun of many features. */
  interface Maps {
    call(x: Float32Array): ArrayLike<number>;
  }
  const nouns: Record<string, [make: () => Maps, expected: Float32Array]> = {
    inverseTransform: [
      () => {
        const scaler = keep(new StandardScaler(N)).fit(rows);
        return { call: (x) => scaler.inverseTransform(x) };
      },
      standard.inverseTransform(rows),
    ],
    transform: [
      () => {
        const scaler = keep(new MinMaxScaler(N)).fit(rows);
        return { call: (x) => scaler.transform(x) };
      },
      range.transform(rows),
    ],
    apply: [
      () => {
        const map = keep(wide());
        return { call: (x) => map.apply(x) };
      },
      rows.map((value) => 2 * value),
    ],
  };
  test.each(Object.entries(nouns))("x of %s, at its second use", (_, [make, expected]) => {
    const x = keep(new Tensor([2, N], rows));
    untilGrown(() => {
      const noun = make();
      noun.call(rows);
      return noun.call(x.data);
    }, expected);
  });

  test("out, which is returned as a view of where it is now", () => {
    const y = keep(new Tensor(shape));
    untilGrown(() => {
      const map = keep(wide());
      map.apply(ramp);
      return map.apply(ramp, { out: y.data });
    }, doubled);
    expect(y.data).toEqual(doubled);
  });

  // A loop that makes one for every table would otherwise take more and more, until a collection that never comes.
  test("a map that is used once takes no memory", () => {
    const before = size();
    for (let i = 0; i < 100; i++) {
      new StandardScaler(N).fitTransform(rows);
      new MinMaxScaler(N).fit(rows).transform(rows);
      wide().apply(rows);
      new BatchNorm(N).fold().apply(rows);
    }
    expect(size()).toBe(before);
  });

  test("a scope gives back the tables of maps that were made in it, and later uses take them anew", () => {
    const outer = wide();
    outer.apply(rows);
    outer.apply(rows);
    const before = size();
    const ranged = range.transform(rows);
    const made: [Affine, MinMaxScaler][] = [];
    for (let i = 0; i < 100; i++) {
      scope(() => {
        const scaler = new MinMaxScaler(N).fit(rows);
        const map = wide();
        made.push([map, scaler]);
        for (let use = 0; use < 3; use++) {
          expect(map.apply(rows)[7]).toBe(2 * rows[7]);
          expect(scaler.transform(rows)[7]).toBe(ranged[7]);
          expect(outer.apply(rows)[7]).toBe(2 * rows[7]);
        }
      });
    }
    // They would take 72 MB.
    expect(size()).toBeLessThanOrEqual(2 * before);
    const [map, scaler] = made[0];
    for (let use = 0; use < 3; use++) {
      expect(map.apply(rows)).toEqual(rows.map((value) => 2 * value));
      expect(scaler.transform(rows)).toEqual(ranged);
    }
  });

  test("a map that leaves the scope that it was made in belongs to the one around that, or to none", () => {
    const before = size();
    const escaped = scope(() => wide());
    for (let i = 0; i < 100; i++) {
      scope(() => {
        const map = scope(() => wide());
        for (let use = 0; use < 3; use++) {
          expect(map.apply(rows)[7]).toBe(2 * rows[7]);
          expect(escaped.apply(rows)[7]).toBe(2 * rows[7]);
        }
      });
    }
    expect(size()).toBeLessThanOrEqual(2 * before);
  });

  test("what leaves a scope keeps nothing else of it", async () => {
    const found = scope(() => {
      const maps = Array.from({ length: 100 }, wide);
      for (const map of maps) for (let use = 0; use < 2; use++) map.apply(rows);
      return { map: wide(), others: maps.map((map) => new WeakRef(map)) };
    });
    for (let round = 0; round < 3; round++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(found.map.apply(rows)[7]).toBe(2 * rows[7]);
    expect(found.others.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  });

  test("a layer of more features than a strip keeps no table for infer", () => {
    const layer = new BatchNorm(500_000);
    const x = keep(new Tensor([1, 500_000]));
    const before = size();
    for (let use = 0; use < 3; use++) layer.infer(x, { out: x });
    expect(size()).toBe(before);
  });
});

test("a view that is stale is refused, wherever it is given, and says what to do", () => {
  const x = keep(new Tensor([N], ramp));
  const view = x.data;
  for (const before = size(); size() === before; ) keep(new Tensor([10 * N]));
  const calls: [name: string, call: () => unknown][] = [
    ["x", () => new BatchNorm(1).infer(view)],
    ["x", () => new Moments(1).add(view)],
    ["x", () => new StandardScaler(1).fit(view)],
    ["x[1]", () => new Moments().add([[1], view])],
    ["data", () => new Tensor([0], view)],
    ["gamma", () => new BatchNorm(1, { gamma: view })],
    [
      "moments.mean",
      () => new BatchNorm(1).train(ramp, { moments: { count: N, mean: view, variance: [1] } }),
    ],
    ["weight", () => new Affine(1).foldIntoLinear({ weight: view }, { layout: "OI" })],
    ["bias", () => new Affine(1).foldIntoLinear({ weight: ramp, bias: view }, { layout: "OI" })],
    ["mean", () => new ImageScaler({ mean: view, std: 1 })],
    ['stateDict["weight"]', () => InstanceNorm.fromPyTorch({ weight: view })],
  ];
  for (const [name, call] of calls) {
    expect(call, name).toThrow(
      `${name}: expected an array in use, got one whose memory was moved (read tensor.data again)`,
    );
  }
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
