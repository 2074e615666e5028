// Where the values of random calls stand, what lies around them, and how near results have to be.

import fc from "fast-check";
import { Tensor } from "simdnorm";
import { expect } from "vitest";
import { worst } from "../reference.js";

/** Where the values of an argument stand: an array of its own, a view at an offset, a tensor, or a view of one. */
export interface Place {
  readonly where: "array" | "view" | "tensor" | "view of a tensor";
  readonly offset: number;
}

export const place = fc.record({
  where: fc.constantFrom("array", "view", "tensor", "view of a tensor"),
  offset: fc.integer({ min: 0, max: 7 }),
}) satisfies fc.Arbitrary<Place>;

const GUARD = 12345;
const MARGIN = 16;

/** An argument whose values stand in their place, what lies around them, and what gives it back. */
export interface Put {
  readonly given: Float32Array | Tensor;
  view(): Float32Array;
  intact(): boolean;
  free(): void;
}

export function put(values: Float32Array, { where, offset }: Place, shape: readonly number[]): Put {
  if (where === "tensor") {
    const tensor = new Tensor(shape, values);
    return { given: tensor, view: () => tensor.data, intact: () => true, free: () => tensor.dispose() };
  }
  const at = MARGIN + offset;
  const length = values.length + 2 * MARGIN + 8;
  const guards = (all: Float32Array) => [all.subarray(0, at), all.subarray(at + values.length)];
  const tensor = where === "view of a tensor" ? new Tensor([length]) : undefined;
  const all = tensor?.data ?? new Float32Array(length);
  for (const guard of guards(all)) guard.fill(GUARD);
  const own = values.slice();
  const memory = () => tensor?.data ?? all;
  // Read anew whenever it is asked for: other tensors may have grown the memory.
  const view = () => (where === "array" ? own : memory().subarray(at, at + values.length));
  view().set(values);
  const intact = () => guards(memory()).every((guard) => guard.every((value) => value === GUARD));
  return {
    get given() {
      return view();
    },
    view,
    intact,
    free: () => tensor?.dispose(),
  };
}

/** The same place one value further, where memory is of the same kind. */
export const moved = ({ where, offset }: Place): Place => ({ where, offset: (offset + 1) % 8 });

export const valuesOf = (result: Float32Array | Tensor): Float32Array =>
  (result instanceof Tensor ? result.data : result).slice();

/** That two lists of results are the same, bit for bit. */
export function expectSame(
  what: string,
  found: readonly ArrayLike<number>[],
  expected: readonly ArrayLike<number>[],
): void {
  expect(found.length, what).toBe(expected.length);
  found.forEach((values, r) => {
    const others = expected[r];
    expect(values.length, what).toBe(others.length);
    for (let i = 0; i < values.length; i++) {
      if (!Object.is(values[i], others[i])) {
        expect.fail(`${what}: result ${r} at ${i} is ${values[i]}, and ${others[i]}`);
      }
    }
  });
}

/** Within the bound; in float32 infinite where the exact result is beyond it. */
export function near(
  what: string,
  found: ArrayLike<number>,
  exact: ArrayLike<number>,
  bound: (v: number, i: number) => number,
): void {
  const reach = (v: number) => (Math.abs(v) >= 3.4028235677973366e38 ? Math.sign(v) * Infinity : v);
  const { ratio, at } = worst(found, found instanceof Float32Array ? Array.from(exact, reach) : exact, bound);
  expect(ratio, `${what} at ${at}: ${found[at]} for ${exact[at]}`).toBeLessThanOrEqual(1);
}

/** The noun, or what it becomes when it is saved and read. */
export function saved<T>(noun: T, through: boolean, { fromJSON }: { fromJSON(json: never): T }): T {
  return through ? Reflect.apply(fromJSON, null, [JSON.parse(JSON.stringify(noun))]) : noun;
}
