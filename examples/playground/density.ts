// The shape of a feature's distribution: a kernel density estimate, of values counted into bins first, so that a
// million of them take milliseconds.

const BINS = 160;

/** Places along the axis, and the density there, whose largest value is 1. */
export interface Density {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** Of every `stride`-th value from `start` on; NaN is left out. */
export function densityOf(values: ArrayLike<number>, start: number, stride: number): Density {
  let [min, max, count, mean, squares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0];
  for (let i = start; i < values.length; i += stride) {
    const value = values[i];
    if (Number.isNaN(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    count++;
    // The mean so far, and squares about it (Welford 1962).
    const distance = value - mean;
    mean += distance / count;
    squares += distance * (value - mean);
  }
  if (count === 0) return { x: [], y: [] };
  // A constant is a line.
  if (min === max) return { x: [min, min, min], y: [0, 1, 0] };

  // Silverman's rule for one that is nearly normal.
  const bandwidth = 1.06 * Math.sqrt(squares / count) * count ** -0.2;
  const low = min - 2.5 * bandwidth;
  const step = (max + 2.5 * bandwidth - low) / (BINS - 1);
  const counts = new Float64Array(BINS);
  for (let i = start; i < values.length; i += stride) {
    // Between two bins a value counts for both, the more the nearer.
    const place = (values[i] - low) / step;
    const bin = Math.floor(place);
    // Of NaN there is no such bin.
    if (bin >= 0) {
      counts[bin] += 1 - (place - bin);
      counts[bin + 1] += place - bin;
    }
  }

  const reach = Math.min(BINS, Math.ceil((3 * bandwidth) / step));
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.exp(-0.5 * (((k - reach) * step) / bandwidth) ** 2),
  );
  const smooth = Array.from(counts, (_, i) =>
    kernel.reduce((total, weight, k) => total + weight * (counts[i + k - reach] ?? 0), 0),
  );
  const largest = Math.max(...smooth);
  // What would not be seen is not drawn.
  const seen = Array.from(smooth.keys()).filter((i) => smooth[i] > 0.005 * largest);
  return { x: seen.map((i) => low + i * step), y: seen.map((i) => smooth[i] / largest) };
}
