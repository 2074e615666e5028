// The programs check themselves: what they got against the formula in float64.

/** The largest difference; throws if one is larger than what is allowed for its value. NaN equals NaN. */
export function worst(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  allowed: number | ((value: number) => number),
): string {
  if (got.length !== expected.length)
    throw new Error(`${expected.length} values expected, got ${got.length}`);
  let largest = 0;
  for (const [i, value] of Array.from(expected).entries()) {
    const difference = Object.is(got[i], value) ? 0 : Math.abs((got[i] ?? Number.NaN) - value);
    const most = typeof allowed === "number" ? allowed : allowed(value);
    if (!(difference <= most)) throw new Error(`${value} expected at ${i}, got ${got[i]}`);
    largest = Math.max(largest, difference);
  }
  return largest.toExponential(1);
}
