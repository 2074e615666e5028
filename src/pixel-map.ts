// The map of 8-bit pixels, per channel: y = (v/255 − mean)/std, and back.
//
// That is y = (v − m)·s with m = 255·mean and s = 1/(255·std). Rounded to float32, v·s − m·s is wrong by up to
// 2.2 ULP of its largest term. The kernels compute
//
//   y = (step·v − center)·unit          center = step·m, unit = s/step
//
// where step is an integer. It is chosen so that center is nearly an integer and unit nearly a float32: then the
// bracket is exact, and what is left is the rounding of y. Some means have no such step: none of the usual ones, every
// 200th between 0.002 and 0.02, every sixth of those that are even nearer to 0, most beyond 100. Their channels are
// looked up, in a table that was made in float64.

/** The coefficients of up to 4 channels, in one buffer of 80 bytes, as the kernels take them. */
export interface PixelMap {
  /** y = (step·v − center)·unit */
  readonly step: Int32Array;
  readonly center: Float32Array;
  readonly unit: Float32Array;
  /** v = y·scale + shift */
  readonly scale: Float32Array;
  readonly shift: Float32Array;
  /** Whether every channel has a step that fits. */
  readonly exact: boolean;
}

/** The rounding of float32: at most 2⁻²⁴ of the value. */
const U = 5.9604644775390625e-8;

/**
 * Folds mean and std, in units of [0, 1], one of each per channel.
 *
 * y is within 1 ULP of its largest term (v/255/std, mean/std or y itself), and nine times in ten the float32 nearest
 * to the exact result.
 */
export function pixelMap(mean: ArrayLike<number>, std: ArrayLike<number>): PixelMap {
  const buffer = new ArrayBuffer(80);
  const map = {
    step: new Int32Array(buffer, 0, 4),
    center: new Float32Array(buffer, 16, 4),
    unit: new Float32Array(buffer, 32, 4),
    scale: new Float32Array(buffer, 48, 4),
    shift: new Float32Array(buffer, 64, 4),
    exact: true,
  };
  for (let c = 0; c < mean.length; c++) {
    const m = 255 * mean[c];
    const s = 1 / (255 * std[c]);
    const { step, center, unit, error } = fit(m, s);
    // Half an ULP of the largest term, to which the rounding of y adds the other half.
    const fits = error <= U / 2;
    map.exact &&= fits;
    map.step[c] = fits ? step : 0;
    map.center[c] = center;
    map.unit[c] = unit;
    map.scale[c] = 255 * std[c];
    map.shift[c] = 255 * mean[c];
  }
  return map;
}

interface Steps {
  step: number;
  center: number;
  unit: number;
  error: number;
}

/** The step that errs least. The first that errs by no more than U/16 will do. */
function fit(m: number, s: number): Steps {
  // 15 bits, and a bracket of at most 24: both are exact.
  const most = Math.min(2 ** 15 - 1, Math.floor(2 ** 24 / (255 + Math.abs(m))));
  let best: Steps = { step: 0, center: 0, unit: 0, error: Number.POSITIVE_INFINITY };
  for (let step = most; step > most / 2 && best.error > U / 16; step--) {
    const next = steps(step, m, s);
    if (next.error < best.error) best = next;
  }
  return best;
}

/**
 * The error in units of the largest term, of v, m and v − m. It is linear in v, and so is that term from 0 to m and
 * from m to 255: it is largest at one of the three.
 */
function steps(step: number, m: number, s: number): Steps {
  const center = Math.round(step * m);
  const unit = Math.fround(s / step);
  const black = (center * unit) / s - m;
  const white = (255 * step - center) * (unit / s) - (255 - m);
  const size = Math.abs(m);
  let error = Math.max(Math.abs(black) / (size || 1), Math.abs(white) / Math.max(255, size, 255 - m));
  if (m > 0 && m < 255) error = Math.max(error, Math.abs(white * (m / 255) - black * (1 - m / 255)) / m);
  return { step, center, unit, error };
}

/** What each byte becomes in each of the channels, 256 values a channel, rounded as the kernels round. */
function levels(
  { step, center, unit }: PixelMap,
  mean: ArrayLike<number>,
  std: ArrayLike<number>,
): Float32Array {
  return Float32Array.from({ length: 256 * mean.length }, (_, i) => {
    const [c, v] = [i >> 8, i & 255];
    return step[c] === 0 ? (v / 255 - mean[c]) / std[c] : (step[c] * v - center[c]) * unit[c];
  });
}

/** A map, and what each byte becomes by it: kernels compute it, loops look it up. */
export interface PixelTable {
  readonly map: PixelMap;
  readonly levels: Float32Array;
}

export function pixelTable(mean: ArrayLike<number>, std: ArrayLike<number>): PixelTable {
  const map = pixelMap(mean, std);
  return { map, levels: levels(map, mean, std) };
}
