// Mean and variance as they are: of the values given, in integers, rounded once.

import { eachValue, type Sizes } from "./reference.js";

/** Of some values: how many are not NaN, their mean, variance, and the largest magnitude. */
export interface Exact {
  count: number;
  mean: number;
  variance: number;
  largest: number;
}

/** Every feature's, NaN left out; all values are finite or NaN. */
export function exactly(x: ArrayLike<number>, sizes: Sizes): Exact[] {
  const values: number[][] = Array.from({ length: sizes.features }, () => []);
  eachValue(sizes, (i, j) => {
    if (!Number.isNaN(x[i])) values[j].push(x[i]);
  });
  return values.map(exact);
}

/** mean = Σx/n and variance = (n·Σx² − (Σx)²)/n², the values as multiples of the power of 2 that divides all. */
export function exact(values: readonly number[]): Exact {
  const count = values.length;
  const largest = Math.max(0, ...values.map(Math.abs));
  if (count === 0) return { count, mean: Number.NaN, variance: Number.NaN, largest };
  const parts = values.map(split);
  const unit = Math.min(...parts.map(({ exponent }) => exponent));
  let sum = 0n;
  let squares = 0n;
  for (const { digits, exponent } of parts) {
    const whole = digits << BigInt(exponent - unit);
    sum += whole;
    squares += whole * whole;
  }
  const n = BigInt(count);
  return {
    count,
    mean: quotient(sum, n, unit),
    variance: quotient(n * squares - sum * sum, n * n, 2 * unit),
    largest,
  };
}

/** value = digits·2^exponent */
function split(value: number): { digits: bigint; exponent: number } {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const word = bits.getBigUint64(0);
  const field = Number((word >> 52n) & 2047n);
  const fraction = word & (2n ** 52n - 1n);
  const digits = field === 0 ? fraction : fraction | (1n << 52n);
  return { digits: value < 0 ? -digits : digits, exponent: Math.max(field, 1) - 1075 };
}

/** a/b·2^exponent, from 100 digits or more of the quotient. */
function quotient(a: bigint, b: bigint, exponent: number): number {
  const more = Math.max(0, 100 + b.toString(2).length - a.toString(2).length);
  const whole = (a << BigInt(more)) / b;
  // To 64 digits, so that no power of 2 overflows.
  const less = Math.max(0, whole.toString(2).length - 64);
  const power = exponent - more + less;
  return Number(whole >> BigInt(less)) * 2 ** Math.trunc(power / 2) * 2 ** (power - Math.trunc(power / 2));
}
