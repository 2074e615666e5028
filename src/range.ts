// The map of a feature onto a range: minimum and maximum land exactly on its ends.
//
// y = (x − center)·scale + shift rises with x at each of its three steps, rounded or not. So if the minimum
// becomes low and the maximum becomes high exactly, nothing between them leaves the range.

/** What becomes what: min → low and max → high, all of them float32 numbers, min ≤ max and low < high. */
export interface Ends {
  readonly min: number;
  readonly max: number;
  readonly low: number;
  readonly high: number;
}

/** y = (x − center)·scale + shift */
export interface Line {
  readonly center: number;
  readonly scale: number;
  readonly shift: number;
}

/** Below this, max − min counts as 0 and the feature as constant: ten units of float64, as in scikit-learn. */
const CONSTANT = 10 * Number.EPSILON;

/** The range per unit of the data; a constant feature has scale high − low. */
export function slope({ min, max, low, high }: Ends): number {
  return (high - low) / (max - min < CONSTANT ? 1 : max - min);
}

/** Where the line goes through: the end of smaller magnitude, whose float32 grid is the finer one. */
function anchor({ min, max, low, high }: Ends): { x: number; y: number } {
  return max - min < CONSTANT || Math.abs(low) <= Math.abs(high) ? { x: min, y: low } : { x: max, y: high };
}

/**
 * The line for steps in float64 whose result is rounded once to float32.
 *
 * It always meets both ends. At the anchor the product is 0 and the result the shift. At the other end, of
 * magnitude h ≥ that of the anchor, the difference, its quotient, the product and the sum are each off by
 * at most 2⁻⁵³ of a number ≤ 2h: together by less than 2⁻⁵⁰·h, where float32 numbers are 2⁻²⁴·h apart.
 */
export function doubleLine(ends: Ends): Line {
  const { x, y } = anchor(ends);
  return { center: x, scale: slope(ends), shift: y };
}

/** How far the center moves before a neighbour of the scale is tried: farther costs more than a neighbour does. */
const NEAR = 40;

/**
 * The line for steps in float32, or undefined where there is none.
 *
 * It begins where y is 0, or at the anchor: there values keep their relative accuracy. One product must
 * then round to one number, which the scale steps over for one feature in eight (range [0, 1]) to three
 * ([0, 255]). For those the center moves away, as little as it takes, and the shift with it, so that
 * everything rounds anew; two tries a feature is the mean. Whatever is returned has been computed at
 * both ends, and is within 3 ULP of the larger end between them (measured: 1.1 for [0, 1], 1.7 for
 * [−1, 1], 2.7 for others). Ranges such as [−1, 10⁻⁹], whose one end is rounded away by the other, and
 * differences beyond float32 may have no line: `doubleLine` remains.
 */
export function singleLine(ends: Ends): Line | undefined {
  const { min, max, low, high } = ends;
  const { x, y } = anchor(ends);
  const nearest = Math.fround(slope(ends));
  if (nearest === 0 || nearest === Number.POSITIVE_INFINITY) return undefined;
  // Constant, or NaN without a value.
  if (!(max - min >= CONSTANT)) return { center: x, scale: nearest, shift: y };

  let start = low < 0 && high > 0 ? Math.fround(min - low / slope(ends)) : x;
  if (Math.fround(max - min) === Number.POSITIVE_INFINITY) start = Math.fround((min + max) / 2);
  return (
    meeting(ends, start, nearest) ??
    around(ends, start, [nearest], NEAR) ??
    around(ends, start, neighbours(nearest), Number.POSITIVE_INFINITY)
  );
}

/** A float32 number and, 0.75 to 1.5 units in the last place away, its neighbours. */
function neighbours(value: number): number[] {
  const away = 1.5 * 2 ** -24;
  return [value, Math.fround(value * (1 + away)), Math.fround(value * (1 - away))];
}

/** The first line found with its center about `start`, at most `most` steps or max − min away. */
function around(ends: Ends, start: number, scales: number[], most: number): Line | undefined {
  const width = ends.max - ends.min;
  const step = Math.max(Math.abs(start) * 2 ** -23, width * 2 ** -25);
  for (let k = 0; k <= most && k * step <= width; k += 1 + (k >> 3)) {
    for (const side of [k * step, -k * step]) {
      const center = Math.fround(start + side);
      for (const scale of scales) {
        const line = meeting(ends, center, scale);
        if (line !== undefined) return line;
      }
    }
  }
  return undefined;
}

/** The line of this center and scale that meets both ends in float32 steps, if there is one. */
function meeting({ min, max, low, high }: Ends, center: number, scale: number): Line | undefined {
  const p = Math.fround(Math.fround(min - center) * scale);
  const q = Math.fround(Math.fround(max - center) * scale);
  const fromLow = Math.fround(low - p);
  if (Math.fround(p + fromLow) === low && Math.fround(q + fromLow) === high) {
    return { center, scale, shift: fromLow };
  }
  const fromHigh = Math.fround(high - q);
  if (Math.fround(p + fromHigh) === low && Math.fround(q + fromHigh) === high) {
    return { center, scale, shift: fromHigh };
  }
  return undefined;
}
