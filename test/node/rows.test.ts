// LayerNorm and RMSNorm of rows, tested alone: the kernels in the debug module, whose assertions are on, and in the
// release module; and the loops of the JavaScript backend.

import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import { describe, expect, test } from "vitest";
import type { instantiate as core } from "../../build/release/kernels.js";
import type { instantiate } from "../../build/release/rows.js";
import * as forward from "../../src/javascript/rows.js";
import * as backward from "../../src/javascript/rows-backward.js";
import { make, normal, parameters } from "../data.js";
import { layerHat, layerNorm, type RowNorm, rmsNorm, rootHat, rowGradients, u, worst } from "../reference.js";

type Core = Awaited<ReturnType<typeof core>>;
type Kernels = Awaited<ReturnType<typeof instantiate>> & Pick<Core, "allocate" | "free">;
type Kind = "layer" | "root";
const KINDS: Kind[] = ["layer", "root"];

// ------------------------------------------------------------------------------------ engines

/** Values somewhere in memory, between guards: what lies beside them must neither be read nor written. */
interface Region<T> {
  readonly at: T;
  values(): Float32Array;
  check(): void;
}

interface Gradients {
  dx: Float32Array;
  dGamma: Float64Array;
  dBeta: Float64Array;
}

/** Where a forward call finds and leaves its values. */
interface Places {
  skip?: Float32Array;
  y?: "apart" | "x" | "skip";
  sum?: "none" | "apart" | "x" | "skip";
  /** Elements from 16-byte alignment, for x, skip, y and sum. */
  offsets?: readonly number[];
}

interface Engine {
  readonly name: string;
  /** The most values of a call in these tests: the debug module is slow. */
  readonly limit: number;
  forward(
    kind: Kind,
    x: Float32Array,
    rows: number,
    features: number,
    norm: RowNorm,
    places?: Places,
  ): { y: Float32Array; sum: Float32Array | null };
  backward(
    kind: Kind,
    x: Float32Array,
    dy: Float32Array,
    rows: number,
    features: number,
    norm: RowNorm,
    onto?: "apart" | "x" | "dy",
    gradients?: Pick<Gradients, "dGamma" | "dBeta">,
  ): Gradients;
}

const MARGIN = 32;

/** NaN around the values: where it is read, it shows; what overwrites it is found. */
function between(all: () => Float32Array, start: number, values: Float32Array): Omit<Region<never>, "at"> {
  all().fill(Number.NaN);
  all().set(values, start);
  return {
    values: () => all().slice(start, start + values.length),
    check() {
      const outside = [all().subarray(0, start), all().subarray(start + values.length)];
      if (!outside.every((part) => part.every(Number.isNaN))) throw new Error("a guard was overwritten");
    },
  };
}

/** toEqual is slow on long arrays. */
function expectSame(found: Float32Array | null, expected: Float32Array, message = ""): void {
  const different = found === null ? 0 : expected.findIndex((value, i) => !Object.is(value, found[i]));
  expect(different, message).toBe(-1);
}

/** Runs a forward call on places that `take` provides. */
function forwardOn<T>(
  take: (values: Float32Array, offset: number) => Region<T>,
  call: (x: T, y: T, skip: T | null, sum: T | null) => void,
  input: Float32Array,
  { skip, y = "apart", sum = "none", offsets = [0, 0, 0, 0] }: Places,
) {
  const empty = () => new Float32Array(input.length);
  const x = take(input, offsets[0]);
  const added = skip ? take(skip, offsets[1]) : null;
  const own = { x, skip: added };
  const output = y === "apart" ? take(empty(), offsets[2]) : own[y]!;
  const sums = sum === "none" ? null : sum === "apart" ? take(empty(), offsets[3]) : own[sum]!;
  call(x.at, output.at, added?.at ?? null, sums?.at ?? null);
  for (const region of [x, added, output, sums]) region?.check();
  if (x !== output && x !== sums) expectSame(x.values(), input);
  if (added && added !== output && added !== sums) expectSame(added.values(), skip!);
  return { y: output.values(), sum: sums?.values() ?? null };
}

function kernelEngine(name: string, kernels: Kernels, limit: number): Engine {
  let taken: number[] = [];
  const allocate = (bytes: number) => {
    const pointer = kernels.allocate(bytes) >>> 0;
    taken.push(pointer);
    return pointer;
  };
  const free = () => {
    for (const pointer of taken) kernels.free(pointer);
    taken = [];
  };
  const take = (values: Float32Array, offset = 0): Region<number> => {
    const length = values.length + offset + 2 * MARGIN;
    const block = allocate(4 * length);
    const all = () => new Float32Array(kernels.memory.buffer, block, length);
    return { at: block + 4 * (MARGIN + offset), ...between(all, MARGIN + offset, values) };
  };
  /** An array per feature, padded to 8 features; guards follow. */
  const padded = (values: ArrayLike<number>, features: number) => {
    const array = new Float32Array((features + 7) & ~7).fill(Number.NaN);
    array.set(Array.from(values));
    return take(array);
  };
  const workOf = (features: number) => allocate(4096 + 8 * ((features + 7) & ~7));
  return {
    name,
    limit,
    forward(kind, x, rows, features, { gamma, beta, epsilon }, places = {}) {
      const g = padded(gamma, features).at;
      const b = padded(beta, features).at;
      const work = workOf(0);
      const result = forwardOn(
        take,
        (from, y, skip, sum) => {
          const extra = [skip ?? 0, sum ?? 0, work] as const;
          if (kind === "layer") kernels.layerNorm(from, y, rows, features, epsilon, g, b, ...extra);
          else kernels.rmsNorm(from, y, rows, features, epsilon, g, ...extra);
        },
        x,
        places,
      );
      free();
      return result;
    },
    backward(kind, x, dy, rows, features, { gamma, epsilon }, onto = "apart", gradients) {
      const places = { x: take(x), dy: take(dy), apart: take(new Float32Array(x.length)) };
      const g = padded(gamma, features).at;
      const work = workOf(features);
      const length = (features + 7) & ~7;
      const sums = allocate(16 * length + 64);
      const columns = () => new Float64Array(kernels.memory.buffer, sums, 2 * length + 8);
      columns()
        .fill(0)
        .fill(12345, 2 * length);
      if (gradients) columns().set(gradients.dGamma);
      if (gradients) columns().set(gradients.dBeta, length);
      const from = [places.x.at, places.dy.at, places[onto].at, rows, features, epsilon, g, sums] as const;
      if (kind === "layer") kernels.layerNormBackward(...from, sums + 8 * length, work);
      else kernels.rmsNormBackward(...from, work);
      for (const region of Object.values(places)) region.check();
      expect(columns().subarray(2 * length)).toEqual(new Float64Array(8).fill(12345));
      const result = {
        dx: places[onto].values(),
        dGamma: columns().slice(0, features),
        dBeta: columns().slice(length, length + features),
      };
      free();
      return result;
    },
  };
}

const plain: Engine = {
  name: "JavaScript",
  limit: 16_000,
  forward(kind, x, rows, features, norm, places = {}) {
    const { gamma, beta, epsilon } = {
      ...norm,
      gamma: Float32Array.from(norm.gamma),
      beta: Float32Array.from(norm.beta),
    };
    const run = kind === "layer" ? forward.layerNorm : forward.rmsNorm;
    return forwardOn(
      arrayRegion,
      (from, y, skip, sum) => run(from, y, rows, features, { gamma, beta, epsilon }, skip, sum),
      x,
      places,
    );
  },
  backward(kind, x, dy, rows, features, { gamma, epsilon }, onto = "apart", gradients) {
    const places = {
      x: arrayRegion(x),
      dy: arrayRegion(dy),
      apart: arrayRegion(new Float32Array(x.length)),
    };
    const dGamma = new Float64Array(features);
    const dBeta = new Float64Array(features);
    if (gradients) dGamma.set(gradients.dGamma);
    if (gradients) dBeta.set(gradients.dBeta);
    const norm = { gamma: Float32Array.from(gamma), beta: null, epsilon };
    const run = kind === "layer" ? backward.layerNormBackward : backward.rmsNormBackward;
    run(places.x.at, places.dy.at, places[onto].at, rows, features, norm, { dGamma, dBeta });
    for (const region of Object.values(places)) region.check();
    return { dx: places[onto].values(), dGamma, dBeta };
  },
};

function arrayRegion(values: Float32Array, offset = 0): Region<Float32Array> {
  const start = MARGIN + offset;
  const all = new Float32Array(values.length + offset + 2 * MARGIN);
  return { at: all.subarray(start, start + values.length), ...between(() => all, start, values) };
}

const build = (name: string) => readFileSync(new URL(`../../build/${name}`, import.meta.url));
function kernelsOf(folder: string): Kernels {
  const core = instantiateSync<Core & Record<string, unknown>>(build(`${folder}kernels.wasm`)).exports;
  const { memory } = core;
  const own = instantiateSync<Kernels & Record<string, unknown>>(build(`${folder}rows.wasm`), {
    env: { memory },
  });
  return { ...own.exports, allocate: core.allocate, free: core.free };
}

const debug = kernelsOf("debug/");

const ENGINES = [
  kernelEngine("the debug module", debug, 16_000),
  kernelEngine("the release module", kernelsOf("release/"), 80_000),
  plain,
];

// -------------------------------------------------------------------------------------- data

const FEATURES = [...Array(17).keys()]
  .map((i) => i + 1)
  .concat(31, 33, 64, 255, 256, 264, 384, 768, 1024, 4096, 5000);
const ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 65, 131, 197, 512];

function rowsOf(rows: number, features: number, kind: string, seed = 1): Float32Array {
  return make({ outer: 1, features: rows, inner: features }, kind, seed);
}

function normOf(features: number, epsilon = 1e-5): RowNorm {
  const { gamma, beta } = parameters(features);
  return { gamma, beta, epsilon };
}

/** What the kernels add: float32, as the sum that they store. */
function added(x: Float32Array, skip: Float32Array): Float32Array {
  return x.map((value, i) => value + skip[i]);
}

/**
 * y = x̂·gamma + beta. The variance is within 5·10⁻⁷, which x̂ feels by half; four roundings (x − center, scale, their
 * product and the shift) add 4u = 2.4·10⁻⁷, and what is left out of a shift is at most u. So x̂ is within 6·10⁻⁷ of
 * max(1, |x̂|); gamma and beta cost 3u more of each term, altogether below 10⁻⁶.
 */
function expectNormalized(
  kind: Kind,
  y: Float32Array,
  x: Float32Array,
  rows: number,
  features: number,
  norm: RowNorm,
  message: string,
): void {
  const exact = (kind === "layer" ? layerNorm : rmsNorm)(x, rows, features, norm);
  const hat = (kind === "layer" ? layerHat : rootHat)(x, rows, features, norm.epsilon);
  const { ratio, at } = worst(y, exact, (v, i) => {
    const j = i % features;
    return 8e-7 * Math.abs(norm.gamma[j]) * Math.max(1, Math.abs(hat[i])) + 2 * u * Math.abs(v) + 2 ** -149;
  });
  expect(
    ratio,
    `${kind} ${rows} × ${features}, ${message}, at ${at}: ${y[at]} for ${exact[at]}`,
  ).toBeLessThan(1);
}

describe("the reference", () => {
  test.each(KINDS)("gradients of %s agree with finite differences of Σ dy·y, in float64", (kind) => {
    const [rows, features] = [3, 5];
    const { gamma, beta, epsilon } = normOf(features);
    const x = Float64Array.from(rowsOf(rows, features, "N(0, 1)"));
    const dy = Float64Array.from(rowsOf(rows, features, "N(0, 1)", 2));
    const exact = rowGradients(x, dy, rows, features, { gamma, epsilon }, kind === "layer");
    const of = kind === "layer" ? layerNorm : rmsNorm;
    const loss = (at: { x?: Float64Array; gamma?: Float64Array; beta?: Float64Array }) =>
      of(at.x ?? x, rows, features, { gamma, beta, epsilon, ...at }).reduce(
        (sum, y, i) => sum + dy[i] * y,
        0,
      );
    const slope = (key: "x" | "gamma" | "beta", from: ArrayLike<number>, i: number) => {
      const [high, low] = [1e-5, -1e-5].map((step) => {
        const moved = Float64Array.from(from);
        moved[i] += step;
        return loss({ [key]: moved });
      });
      return (high - low) / 2e-5;
    };
    // Central differences: the truncation is of order step² = 1e-10, the cancellation 1e-16/step = 1e-11.
    for (const i of x.keys()) expect(Math.abs(slope("x", x, i) - exact.dx[i])).toBeLessThan(1e-8);
    for (let j = 0; j < features; j++) {
      expect(Math.abs(slope("gamma", gamma, j) - exact.dGamma[j])).toBeLessThan(1e-8);
      if (kind === "layer") expect(Math.abs(slope("beta", beta, j) - exact.dBeta[j])).toBeLessThan(1e-8);
    }
  });
});

describe.each(ENGINES)("$name", (engine) => {
  describe.each(KINDS)("%s", (kind) => {
    test.each(FEATURES)("rows of %i features, wherever they come from and go to", (features) => {
      const norm = normOf(features);
      for (const rows of ROWS.filter((rows) => rows * features <= engine.limit)) {
        const x = rowsOf(rows, features, "N(0, 1)");
        const skip = rowsOf(rows, features, "N(0, 1)", 2);
        const sums = added(x, skip);
        const run = (places: Places) => engine.forward(kind, x, rows, features, norm, places);
        const { y } = run({});
        expectNormalized(kind, y, x, rows, features, norm, "apart");
        expectSame(run({ y: "x" }).y, y);
        const both = run({ skip, sum: "apart" });
        expectSame(both.sum, sums);
        expectNormalized(kind, both.y, sums, rows, features, norm, "with skip");
        // Sums in float32 are what is normalized, bit for bit.
        expectSame(both.y, engine.forward(kind, sums, rows, features, norm).y);
        for (const places of [
          { skip },
          { skip, y: "x" },
          { skip, y: "skip" },
          { skip, y: "apart", sum: "x" },
          { skip, y: "apart", sum: "skip" },
          { skip, y: "x", sum: "apart" },
          { skip, y: "x", sum: "skip" },
          { skip, y: "skip", sum: "x" },
        ] as const) {
          const found = run(places);
          expectSame(found.y, both.y);
          if (found.sum) expectSame(found.sum, sums);
        }
      }
    });

    test.each([
      "mean 1e4, std 1",
      "mean 1e6, std 1",
      "an outlier first",
      "sorted",
      "two values in turn",
      "heavy tails",
      "both ends of float32",
      "huge, 1e30",
      "tiny, 1e-30",
      "denormal, 1e-41",
    ])("%s", (data) => {
      for (const features of [2, 3, 7, 16, 33, 384, 1024, 4096, 5000]) {
        for (const epsilon of [1e-5, 1e-12, 0]) {
          const norm = normOf(features, epsilon);
          const x = rowsOf(7, features, data);
          const { y } = engine.forward(kind, x, 7, features, norm);
          expectNormalized(kind, y, x, 7, features, norm, `epsilon ${epsilon}`);
        }
      }
    });

    test("a huge value among those that stand for the mean", () => {
      // 16 values of 100,000: were their mean good enough, rounding would be amplified 390 times.
      const features = 100_000;
      const norm = normOf(features);
      const x = rowsOf(2, features, "N(0, 1)");
      x[0] = 1e6;
      x[features + 3 * (features >> 2)] = -1e6;
      expectNormalized(kind, engine.forward(kind, x, 2, features, norm).y, x, 2, features, norm, "outliers");
    });

    test("values whose distance is beyond float32, about a mean that is not", () => {
      const x = Float32Array.from([1.6e38, -1.6e38, 1.6e38, -1.6e38, -3.4e38, -3.4e38, 3.4e38]);
      const norm = normOf(7);
      expectNormalized(kind, engine.forward(kind, x, 1, 7, norm).y, x, 1, 7, norm, "far apart");
    });

    test("x added to itself", () => {
      const x = rowsOf(5, 100, "mean 1e6, std 1");
      const norm = normOf(100);
      const { y } = engine.forward(kind, x, 5, 100, norm, { skip: x });
      expect(y).toEqual(engine.forward(kind, added(x, x), 5, 100, norm).y);
    });

    test("a row depends on nothing but itself", () => {
      const draw = normal(7);
      for (const features of [5, 16, 37, 100, 768, 2048]) {
        const norm = normOf(features);
        const rows = 23;
        // Rows that need a shift, rows that do not, doubtful ones and rows that are not finite, side by side.
        const x = new Float32Array(rows * features);
        for (let row = 0; row < rows; row++) {
          const offset = [0, 1e4, 0, 0, 3.7][row % 5];
          const size = [1, 1, 1e30, 1, 1e-25][row % 5];
          for (let j = 0; j < features; j++) x[row * features + j] = offset + size * draw();
          if (row % 7 === 3)
            x[row * features + (row % features)] = [Number.NaN, Infinity, -Infinity][row % 3];
        }
        const { y } = engine.forward(kind, x, rows, features, norm);
        for (let row = 0; row < rows; row++) {
          const own = x.slice(row * features, (row + 1) * features);
          const alone = engine.forward(kind, own, 1, features, norm).y;
          expect(y.slice(row * features, (row + 1) * features), `row ${row} of ${features}`).toEqual(alone);
          const finite = own.every(Number.isFinite);
          expect(alone.every(Number.isFinite), `row ${row} of ${features}`).toBe(finite);
          if (kind === "layer" && !finite) expect(alone.every(Number.isNaN)).toBe(true);
        }
      }
    });

    test("the same bits at every alignment", () => {
      for (const features of [7, 64, 101]) {
        const norm = normOf(features);
        const x = rowsOf(5, features, "mean 1e4, std 1");
        const skip = rowsOf(5, features, "N(0, 1)", 2);
        const expected = engine.forward(kind, x, 5, features, norm, { skip, sum: "apart" });
        for (let offset = 0; offset < 16; offset++) {
          const offsets = [offset & 3, offset >> 2, (offset >> 1) & 3, (offset + 1) & 3];
          const found = engine.forward(kind, x, 5, features, norm, { skip, sum: "apart", offsets });
          expect(found).toEqual(expected);
        }
      }
    });

    test.each(FEATURES)("gradients of rows of %i features", (features) => {
      const norm = normOf(features);
      for (const rows of ROWS.filter((rows) => rows * features <= engine.limit)) {
        for (const data of rows < 10 ? ["N(0, 1)", "mean 1e4, std 1"] : ["N(0, 1)"]) {
          const x = rowsOf(rows, features, data, 3);
          const dy = rowsOf(rows, features, "N(0, 1)", 4);
          const apart = engine.backward(kind, x, dy, rows, features, norm);
          expectGradients(kind, apart, x, dy, rows, features, norm, data);
          for (const onto of ["x", "dy"] as const) {
            const found = engine.backward(kind, x, dy, rows, features, norm, onto);
            expectSame(found.dx, apart.dx);
            expect(found.dGamma).toEqual(apart.dGamma);
            expect(found.dBeta).toEqual(apart.dBeta);
          }
        }
      }
    });

    test.each(["an outlier first", "heavy tails", "huge, 1e30", "tiny, 1e-30", "both ends of float32"])(
      "gradients of %s",
      (data) => {
        for (const [features, epsilon] of [
          [7, 1e-5],
          [100, 1e-5],
          [100, 1e-30],
          [5000, 1e-5],
        ]) {
          const norm = normOf(features, epsilon);
          const x = rowsOf(5, features, data, 3);
          const dy = rowsOf(5, features, "N(0, 1)", 4);
          expectGradients(
            kind,
            engine.backward(kind, x, dy, 5, features, norm),
            x,
            dy,
            5,
            features,
            norm,
            data,
          );
        }
      },
    );

    test("gradients of the parameters over many equal rows", () => {
      // In float32, 10,000 additions of the same value would all round the same way.
      const [rows, features] = [20_001, 3];
      const norm = normOf(features);
      const x = rowsOf(rows, features, "N(0, 1)", 3);
      const dy = x.map(() => 1.1);
      const found = engine.backward(kind, x, dy, rows, features, norm);
      expectGradients(kind, found, x, dy, rows, features, norm, "equal dy");
    });

    test("gradients whose sums overflow float32", () => {
      const x = rowsOf(6, 40, "N(0, 1)", 3).map((v) => 1e3 * v);
      const dy = rowsOf(6, 40, "N(0, 1)", 4).map((v, i) => (i < 120 ? v : v * 1e36));
      const norm = normOf(40);
      norm.gamma = Float32Array.from(norm.gamma, (v) => v * 1e3);
      const found = engine.backward(kind, x, dy, 6, 40, norm);
      expectGradients(kind, found, x, dy, 6, 40, norm, "dy of 1e36");
    });

    test("gradients of a row depend on nothing but itself, and those of the parameters are added", () => {
      const features = 37;
      const norm = normOf(features);
      const x = rowsOf(9, features, "mean 1e4, std 1");
      const dy = rowsOf(9, features, "N(0, 1)", 4);
      x[features + 5] = 1e30;
      x[4 * features] = Number.NaN;
      const { dx, dGamma, dBeta } = engine.backward(kind, x, dy, 9, features, norm);
      expect(dGamma.some(Number.isNaN)).toBe(true);
      for (let row = 0; row < 9; row++) {
        const part = (values: Float32Array) => values.slice(row * features, (row + 1) * features);
        const alone = engine.backward(kind, part(x), part(dy), 1, features, norm);
        expect(part(dx)).toEqual(alone.dx);
        expect(alone.dx.some(Number.isNaN)).toBe(row === 4);
      }
      const row = [x.slice(0, features), dy.slice(0, features), 1, features, norm] as const;
      const first = engine.backward(kind, ...row);
      const again = engine.backward(kind, ...row, "apart", first);
      expect(again.dGamma).toEqual(first.dGamma.map((v) => 2 * v));
      expect(again.dBeta).toEqual(first.dBeta.map((v) => 2 * v));
      if (kind === "root") expect(dBeta).toEqual(new Float64Array(features));
    });
  });

  test.runIf(engine !== plain)(
    "ordinary rows are not doubtful: float64 would round every result right",
    () => {
      for (const data of ["N(0, 1)", "mean 1e4, std 1", "mean 1e6, std 1"]) {
        for (const features of [64, 100, 768]) {
          const norm = normOf(features);
          const x = rowsOf(5, features, data);
          for (const [kind, exact] of [
            ["layer", layerNorm],
            ["root", rmsNorm],
          ] as const) {
            const { y } = engine.forward(kind, x, 5, features, norm);
            const right = Float32Array.from(exact(x, 5, features, norm));
            for (let row = 0; row < 5; row++) {
              const from = row * features;
              const different = y.subarray(from, from + features).some((v, j) => v !== right[from + j]);
              expect(different, `${kind}, row ${row} of ${features}, ${data}`).toBe(true);
            }
          }
        }
      }
    },
  );

  test("constant rows, and rows of one element, are beta exactly", () => {
    for (const features of [1, 2, 3, 4, 7, 16, 31, 100, 5000]) {
      const norm = normOf(features, 1e-12);
      const values = [0, 0.1, -7, 1e-40, 1e15, 1e30, 3.4e38];
      const x = Float32Array.from(
        { length: values.length * features },
        (_, i) => values[Math.floor(i / features)],
      );
      const { y } = engine.forward("layer", x, values.length, features, norm);
      expect(y).toEqual(Float32Array.from(x, (_, i) => norm.beta[i % features]));
    }
  });

  test("a row of infinities and numbers is 0 and NaN for RMSNorm, as the formula has it", () => {
    const x = Float32Array.from({ length: 18 }, (_, i) => (i % 6 === 2 ? Infinity : i));
    const norm = normOf(6);
    const { y } = engine.forward("root", x, 3, 6, norm);
    expect(y.map(Math.abs)).toEqual(Float32Array.from(x, (v) => (v === Infinity ? Number.NaN : 0)));
  });
});

/**
 * Σu and Σu·x̂ are f32 sums of at most 64 steps between flushes, whose rounding is at most 70u of the sum of
 * magnitudes, those of a column of at most 32 pairs; |x − K| is at most a deviation more than |x − mean|, hence twice
 * max(1, |x̂|). x̂ is within 10⁻⁶ of that. dx has three terms, each with the error of its factors and four roundings.
 */
function expectGradients(
  kind: Kind,
  found: Gradients,
  x: Float32Array,
  dy: Float32Array,
  rows: number,
  features: number,
  norm: RowNorm,
  message: string,
): void {
  const exact = rowGradients(x, dy, rows, features, norm, kind === "layer");
  const ofX = new Float64Array(x.length);
  const ofGamma = new Float64Array(features);
  const ofBeta = new Float64Array(features);
  const hat = exact.hat.map((h) => Math.max(1, Math.abs(h)));
  for (let row = 0; row < rows; row++) {
    let mean = 0;
    for (let i = row * features, j = 0; j < features; i++, j++) {
      mean += Math.abs(dy[i] * norm.gamma[j] * hat[i]) / features;
      ofGamma[j] += Math.abs(dy[i] * hat[i]) * (40 * u + 1e-6);
      ofBeta[j] += Math.abs(dy[i]) * 40 * u;
    }
    for (let i = row * features, j = 0; j < features; i++, j++) {
      const own = Math.abs(dy[i] * norm.gamma[j]);
      ofX[i] = exact.scale[row] * (6 * u * own + (140 * u + 2e-6) * hat[i] * mean);
    }
  }
  for (const [name, values, expected, bound] of [
    ["dx", found.dx, exact.dx, ofX],
    ["dGamma", found.dGamma, exact.dGamma, ofGamma],
    ["dBeta", found.dBeta, kind === "layer" ? exact.dBeta : new Float64Array(features), ofBeta],
  ] as const) {
    const { ratio, at } = worst(values, expected, (v, i) => bound[i] + 2 * u * Math.abs(v) + 2 ** -149);
    const where = `${name} of ${kind} ${rows} × ${features}, ${message}, at ${at}: ${values[at]} for ${expected[at]}`;
    expect(ratio, where).toBeLessThan(1);
  }
}

describe("the compiled text", () => {
  test("blocks of rows are functions, so that optimized code takes over between two of them", () => {
    const text = build("release/rows.wat").toString();
    for (const file of ["rows", "rows-backward"]) {
      expect(text).toMatch(new RegExp(`\\(func \\$"?assembly/${file}/block\\b`));
    }
  });
});

test("assertions of the debug module name the file", () => {
  expect(() => debug.layerNorm(64, 64, 0, 1, 1e-5, 64, 64, 0, 0, 64)).toThrow("rows.ts");
  expect(() => debug.rmsNormBackward(64, 64, 64, 1, 0, 1e-5, 64, 64, 64)).toThrow("rows-backward.ts");
});
