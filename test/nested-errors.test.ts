// Rows, columns and float64 arrays that are wrong, or change while they are read: refused before anything has changed,
// or what they were is what counts. And what only looks wrong gives the same bits.

import { Extrema, MinMaxScaler, Moments, type Samples, StandardScaler, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { expectError, type Kind } from "./expect-error.js";

const ROWS = 300;

/** 300 rows of 3 numbers: more than what runs in JavaScript everywhere. */
const rowsOf = (): number[][] => Array.from({ length: ROWS }, (_, i) => [i, (i * i) % 7, Math.sin(i)]);
const columnsOf = (): number[][] => [0, 1, 2].map((j) => rowsOf().map((row) => row[j]));

const lying = (values: Float64Array, length = 6) =>
  Object.defineProperty(values, "length", { value: length });
const detached = (Values: typeof Float64Array | typeof Float32Array) => {
  const array = new Values(3);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
};

/** A view of a buffer that has shrunk below it. */
const shrunk = () => {
  const buffer: ArrayBuffer = Reflect.construct(ArrayBuffer, [24, { maxByteLength: 24 }]);
  const array = new Float64Array(buffer, 0, 3);
  Reflect.apply(Reflect.get(buffer, "resize"), buffer, [8]);
  return array;
};

const cycle: unknown[] = [];
cycle.push(cycle, cycle, cycle);

/** What is no list of numbers. */
const WRONG: Record<string, () => unknown> = {
  null: () => null,
  undefined: () => undefined,
  "a string": () => "123",
  "a number": () => 5,
  "a bigint": () => 1n,
  "a symbol": () => Symbol("1"),
  "a function": () => rowsOf,
  "an object": () => ({}),
  "what is like an array": () => ({ 0: 1, 1: 2, 2: 3, length: 3 }),
  "a set": () => new Set([1, 2, 3]),
  integers: () => new Int32Array(3),
  "big integers": () => new BigInt64Array(3),
  "a DataView": () => new DataView(new ArrayBuffer(24)),
  "a buffer": () => new ArrayBuffer(24),
  "a proxied array of float64": () => new Proxy(new Float64Array(3), {}),
  "a tensor": () => new Tensor([3]),
  "float64 without its memory": () => detached(Float64Array),
  "float32 without its memory": () => detached(Float32Array),
  "what a buffer has shrunk below": shrunk,
  "a cycle": () => cycle,
  "lists of numbers": () => [[1], [2], [3]],
  holes: () => new Array(3),
  strings: () => ["1", "2", "3"],
  "more bigints": () => [1n, 2n, 3n],
  "too few": () => [1, 2],
  "too many": () => new Float64Array(4),
};

type Noun = { toJSON(): unknown };
const nouns: [string, () => Noun, (noun: never, x: never) => unknown][] = [
  ["Moments.add", () => new Moments(), (noun: Moments, x) => noun.add(x)],
  ["Extrema.add", () => new Extrema(), (noun: Extrema, x) => noun.add(x)],
  ...[StandardScaler, MinMaxScaler].flatMap((Scaler) => {
    const fitted = () => new Scaler().fit(rowsOf());
    type Each = StandardScaler | MinMaxScaler;
    const all: [string, () => Noun, (noun: never, x: never) => unknown][] = [
      [`${Scaler.name}.fit`, fitted, (noun: Each, x) => noun.fit(x)],
      [`${Scaler.name}.partialFit`, fitted, (noun: Each, x) => noun.partialFit(x)],
      [`${Scaler.name}.transform`, fitted, (noun: Each, x) => noun.transform(x)],
      [`${Scaler.name}.fitTransform`, fitted, (noun: Each, x) => noun.fitTransform(x)],
      [`${Scaler.name}.inverseTransform`, fitted, (noun: Each, x) => noun.inverseTransform(x)],
    ];
    return all;
  }),
];

const called = (call: (noun: never, x: never) => unknown, noun: Noun, x: unknown): unknown =>
  Reflect.apply(call, null, [noun, x]);

onBothBackends(() => {
  describe.each(nouns)("%s", (_, make, call) => {
    test.each(Object.entries(WRONG))("a row is %s", (_, wrong) => {
      for (const at of [0, 1, ROWS - 1]) {
        const noun = make();
        const before = JSON.stringify(noun);
        const x: unknown[] = rowsOf();
        x[at] = wrong();
        let error: unknown;
        try {
          called(call, noun, x);
        } catch (thrown) {
          error = thrown;
        }
        expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
        expect(String(error)).toMatch(/^(Type|Range)Error: x(\[\d+\])*: /);
        expect(JSON.stringify(noun)).toBe(before);
        const expected = called(call, make(), rowsOf());
        expect(called(call, noun, rowsOf())).toEqual(expected);
      }
    });

    /** Rows whose third begins with a getter that does something, once. */
    const trap = (act: (rows: number[][]) => void): number[][] => {
      const rows = rowsOf();
      let done = false;
      Object.defineProperty(rows[2], 0, {
        enumerable: true,
        get() {
          if (!done) act(rows);
          done = true;
          return 2;
        },
      });
      return rows;
    };

    test("rows that become fewer while they are read", () => {
      const noun = make();
      const before = JSON.stringify(noun);
      const shrinking = trap((rows) => {
        rows.length = 5;
      });
      expect(() => called(call, noun, shrinking)).toThrow(/^x(\[5\])?: expected/);
      expect(JSON.stringify(noun)).toBe(before);
    });

    test("rows that become more", () => {
      const noun = make();
      const before = JSON.stringify(noun);
      const growing = trap((rows) => {
        rows.push([1, 2, 3]);
      });
      expect(() => called(call, noun, growing)).toThrow("x: expected 300 rows, as at first, got 301");
      expect(JSON.stringify(noun)).toBe(before);
    });

    test("a row that loses what follows", () => {
      const noun = make();
      const before = JSON.stringify(noun);
      const losing = trap((rows) => {
        rows[2].length = 1;
      });
      expect(() => called(call, noun, losing)).toThrow(/^x\[2\]/);
      expect(JSON.stringify(noun)).toBe(before);
    });

    test("an item that uses the noun itself", () => {
      const plain = make();
      called(call, plain, [
        [1, 2, 3],
        [4, 5, 6],
      ]);
      const expected = called(call, plain, rowsOf());
      const noun = make();
      const x = trap(() => {
        called(call, noun, [
          [1, 2, 3],
          [4, 5, 6],
        ]);
      });
      const found = called(call, noun, x);
      // A map is found before its values are read: either fit may be the one that counts.
      if (typeof found === "object" && found !== null && "toJSON" in found) {
        expect(JSON.stringify(found)).toBe(JSON.stringify(expected));
      } else expect(found).toHaveLength(ROWS);
    });
  });

  test("a list whose length lies has as many numbers as it has", () => {
    const long = () => lying(new Float64Array(2).fill(7), 4);
    const short = () => lying(new Float64Array(4).fill(7), 2);
    for (const Noun of [Moments, Extrema]) {
      for (const [list, features] of [
        [long, 2],
        [short, 4],
      ] as const) {
        const rows = new Noun().add([list(), new Array(features).fill(7)]);
        const columns = new Noun({ axis: 0 }).add([list(), new Array(features).fill(7)]);
        expect([rows.features, rows.count, columns.count]).toEqual([features, 2, features]);
        const other = [[1, 2, 3], list()];
        for (const axis of [-1, 0]) {
          expectError(() => new Noun({ axis }).add(other), RangeError, "x[1]: expected an array of");
        }
      }
    }
  });

  test("rows that have other features when they are mapped than when they were fitted", () => {
    const rows = [
      [1, 2],
      [3, 4],
    ];
    const wider = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    for (const Scaler of [StandardScaler, MinMaxScaler]) {
      const seen = new Set<string>();
      // As often as the first row is read before it is another one.
      for (let reads = 0; reads < 12; reads++) {
        let read = 0;
        const changing = new Proxy(rows, {
          get: (rows, name) =>
            Reflect.get(name === "0" && read++ >= reads ? wider : read > reads ? wider : rows, name),
        });
        const scaler = new Scaler();
        try {
          const y = scaler.fitTransform(changing);
          expect(y.flat().filter(Number.isNaN)).toEqual([]);
          seen.add("right");
        } catch (error) {
          expect(`${error}`).toMatch(/^RangeError: x(\[\d\])?: expected/);
          seen.add("refused");
        }
      }
      expect([...seen].sort()).toEqual(["refused", "right"]);
    }
  });

  test("a nested out in an array that cannot be changed", () => {
    const out = Object.freeze([
      [0, 0],
      [0, 0],
    ]);
    const x = [
      [1, 2],
      [3, 4],
    ];
    expect(new StandardScaler().fit(x).transform(x, { out: out as number[][] })).toBe(out);
    expect(out).toEqual([
      [-1, -1],
      [1, 1],
    ]);
  });

  test("an item that decides how many features there are", () => {
    for (const noun of [new Moments(), new Extrema()]) {
      const rows = rowsOf();
      Object.defineProperty(rows[2], 0, {
        get() {
          if (noun.features === undefined) noun.add([[1, 2, 3, 4]]);
          return 2;
        },
      });
      expectError(() => noun.add(rows), RangeError, "x: expected features = 4, got 3");
      expect(noun.count).toBe(1);
    }
  });

  const replaced = (out: unknown[], row: unknown) => out.map((list, i) => (i === 7 ? row : list));
  const wrongOut: [string, (out: unknown[]) => unknown, Kind, string][] = [
    ["no list", () => new Float64Array(900), TypeError, "out: expected nested arrays like x"],
    ["too few", (out) => out.slice(1), RangeError, "out: expected x's 300 arrays, got 299"],
    ...[null, "123", new Int32Array(3), { length: 3 }, new DataView(new ArrayBuffer(3))].map(
      (wrong): [string, (out: unknown[]) => unknown, Kind, string] => [
        `${wrong}`,
        (out) => replaced(out, wrong),
        TypeError,
        "out[7]: expected an array",
      ],
    ),
    ["a short row", (out) => replaced(out, [1]), RangeError, "out[7]: expected length 3, got 1"],
    [
      "lost",
      (out) => replaced(out, detached(Float64Array)),
      TypeError,
      "out[7]: expected an array in use, got one whose memory was moved",
    ],
    [
      "with a length that lies",
      (out) => replaced(out, lying(new Float64Array(2), 3)),
      RangeError,
      "out[7]: expected length 3, got 2",
    ],
    [
      "with a hole that cannot be filled",
      (out) => replaced(out, Object.preventExtensions(Object.assign(new Array(3), [1, 2]))),
      TypeError,
      "out[7]: expected an array that can be written, got a frozen one",
    ],
    [
      "frozen",
      (out) => replaced(out, Object.freeze([1, 2, 3])),
      TypeError,
      "out[7]: expected an array that can be written, got a frozen one",
    ],
  ];
  test.each(wrongOut)("out: %s", (_, wrong, kind, message) => {
    for (const scaler of [new StandardScaler().fit(rowsOf()), new MinMaxScaler().fit(rowsOf())]) {
      const before = JSON.stringify(scaler);
      const out = rowsOf();
      const given = wrong(out);
      for (const name of ["transform", "fitTransform", "inverseTransform"]) {
        const call = () => Reflect.apply(Reflect.get(scaler, name), scaler, [rowsOf(), { out: given }]);
        expectError(call, kind, message);
      }
      expect(out).toEqual(rowsOf());
      expect(JSON.stringify(scaler)).toBe(before);
    }
  });

  test("out that is x, and whose rows can be read once only", () => {
    const scaler = new StandardScaler().fit(rowsOf());
    const rows = rowsOf();
    let reads = 0;
    Object.defineProperty(rows, 0, { get: () => (reads++ === 0 ? [0, 0, 0] : undefined) });
    expect(() => scaler.transform(rows, { out: rows })).toThrow("out[0]: expected an array");
    expect(rows[1]).toEqual(rowsOf()[1]);
  });

  test("lists that say they are longer than memory", () => {
    const long = new Array(2 ** 32 - 1);
    for (const noun of [new Moments(), new StandardScaler(), new MinMaxScaler()]) {
      const call = () => (noun instanceof Moments ? noun.add([long]) : noun.fit([long]));
      expectError(call, RangeError, "x: expected at most 2²⁸ features, got 4294967295");
    }
    const columns = new Array(2 ** 15).fill(long);
    const message = "memory: expected 1125899906580480 bytes to be free";
    expectError(() => new Moments({ axis: 0 }).add(columns), RangeError, message);
    expectError(() => new MinMaxScaler({ axis: 0 }).fit(columns), RangeError, message);
  });

  test("columns lose values while they are read", () => {
    for (const noun of [new Moments({ axis: 0 }), new Extrema({ axis: 0 })]) {
      const columns = columnsOf();
      Object.defineProperty(columns[1], 2, {
        get() {
          columns[1].length = 200;
          return 2;
        },
      });
      expect(() => noun.add(columns)).toThrow(/^x\[1\]/);
      expect(noun.count).toBe(0);
    }
  });

  describe("float64 arrays", () => {
    const flat = () => Float64Array.from(rowsOf().flat());
    class Own extends Float64Array<ArrayBuffer> {
      static get [Symbol.species]() {
        return Float32Array as never;
      }
      override subarray(): never {
        throw new Error("subarray");
      }
      override set(): never {
        throw new Error("set");
      }
      override get length(): number {
        return 3;
      }
    }
    test.each<[string, (values: Float64Array) => Float64Array]>([
      ["of a subclass", (values) => Reflect.construct(Own, [values.buffer])],
      ["with a length that lies", (values) => lying(values)],
      ["without a prototype of arrays", (values) => Object.setPrototypeOf(values, Float32Array.prototype)],
    ])("%s, as x and as out", (_, make) => {
      for (const Scaler of [StandardScaler, MinMaxScaler]) {
        const expected = new Scaler(3).fitTransform(flat());
        const found = new Scaler(3).fitTransform(make(flat()));
        expect(new Float64Array(found.buffer)).toEqual(expected);
        const out = make(new Float64Array(900));
        const scaler = new Scaler(3).fit(flat());
        expect(Reflect.apply(scaler.transform, scaler, [make(flat()), { out }])).toBe(out);
        expect(new Float64Array(out.buffer)).toEqual(expected);
      }
      const seen = new Moments(3).add(make(flat()));
      expect(seen.toJSON()).toEqual(new Moments(3).add(flat()).toJSON());
      expect(new Extrema(3).add(make(flat())).toJSON()).toEqual(new Extrema(3).add(flat()).toJSON());
    });

    const bad: [string, () => unknown][] = [
      ["lost", () => detached(Float64Array)],
      ["shrunk", shrunk],
      ["a length that lies", () => lying(new Float64Array(899), 900)],
      ["bytes", () => new Uint8Array(7200)],
      ["a DataView", () => new DataView(new ArrayBuffer(7200))],
      ["another length", () => new Float64Array(902)],
    ];
    test.each(bad)("%s is refused, as x and as out", (_, make) => {
      for (const Scaler of [StandardScaler, MinMaxScaler]) {
        const scaler = new Scaler(3).fit(flat());
        const before = JSON.stringify(scaler);
        for (const name of ["fit", "partialFit", "transform", "fitTransform", "inverseTransform"]) {
          const method = Reflect.get(scaler, name);
          expect(() => Reflect.apply(method, scaler, [make()])).toThrow(/^x: expected/);
          if (name.endsWith("ransform")) {
            expect(() => Reflect.apply(method, scaler, [flat(), { out: make() }])).toThrow(/^out: expected/);
          }
        }
        expect(JSON.stringify(scaler)).toBe(before);
      }
    });

    test("out over x: itself, apart from it, or refused", () => {
      const expected = new StandardScaler(3).fitTransform(flat());
      for (const shift of [-900, -899, -7, -1, 0, 1, 7, 899, 900]) {
        const memory = new Float64Array(2700);
        const x: Samples = memory.subarray(900, 1800);
        x.set(flat());
        const copy = memory.slice();
        const out = memory.subarray(900 + shift, 1800 + shift);
        const call = () => new StandardScaler(3).fitTransform(x, { out });
        if (shift === 0 || Math.abs(shift) === 900) expect(call()).toEqual(expected);
        else {
          expectError(call, RangeError, "out: expected x itself or memory apart from it");
          expect(memory).toEqual(copy);
        }
      }
    });
  });
});
