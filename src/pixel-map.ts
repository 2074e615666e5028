// The map of 8-bit pixels, per channel: y = (v/255 − mean)/std, and back.
//
// That is y = (v − m)·s with m = 255·mean and s = 1/(255·std). Rounded to float32, v·s − m·s is wrong by up to
// 2.2 ULP of its largest term. The kernels compute
//
//   y = (step·v − center)·unit          center = step·m, unit = s/step
//
// where step is an integer. It is chosen so that center is nearly an integer and unit nearly a float32: then the
// bracket is exact, and what is left is the rounding of y.

/** The coefficients of up to 4 channels, in one buffer of 80 bytes, as the kernels take them. */
export interface PixelMap {
  /** y = (step·v − center)·unit */
  readonly step: Int32Array;
  readonly center: Float32Array;
  readonly unit: Float32Array;
  /** v = y·scale + shift */
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** The rounding of float32: at most 2⁻²⁴ of the value. */
const U = 2 ** -24;

/**
 * Folds mean and std, in units of [0, 1], one of each per channel.
 *
 * y is within 1 ULP of its largest term (v/255/std, mean/std or y itself), and nine times in ten the float32 nearest
 * to the exact result. For a mean that no step fits, such as 10⁻⁷, it is within 1.7 ULP. Both for |mean| ≤ 100.
 */
export function pixelMap(mean: ArrayLike<number>, std: ArrayLike<number>): PixelMap {
  const buffer = new ArrayBuffer(80);
  const map = {
    step: new Int32Array(buffer, 0, 4),
    center: new Float32Array(buffer, 16, 4),
    unit: new Float32Array(buffer, 32, 4),
    scale: new Float32Array(buffer, 48, 4),
    shift: new Float32Array(buffer, 64, 4),
  };
  for (let c = 0; c < mean.length; c++) {
    const m = 255 * mean[c];
    const s = 1 / (255 * std[c]);
    let steps = fit(m, s, Math.round);
    // Without an integer near center the bracket is rounded as well.
    if (steps.error > U / 4) steps = fit(m, s, Math.fround);
    map.step[c] = steps.step;
    map.center[c] = steps.center;
    map.unit[c] = steps.unit;
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

/** The step that errs least; `round` makes the center. The first that errs by no more than U/16 will do. */
function fit(m: number, s: number, round: (center: number) => number): Steps {
  // 15 bits, and a bracket of at most 24: both are exact.
  const most = Math.max(1, Math.min(2 ** 15 - 1, Math.floor(2 ** 24 / (255 + Math.abs(m)))));
  let best = steps(most, m, s, round);
  for (let step = most - 1; step > most / 2 && best.error > U / 16; step--) {
    const next = steps(step, m, s, round);
    if (next.error < best.error) best = next;
  }
  return best;
}

/** The error is linear in v, so that it is largest, compared with the largest term there, for v = 0 or v = 255. */
function steps(step: number, m: number, s: number, round: (center: number) => number): Steps {
  const center = round(step * m);
  const unit = Math.fround(s / step);
  const black = (center * unit) / s - m;
  const white = (255 * step - center) * (unit / s) - (255 - m);
  const error = Math.max(Math.abs(black) / (Math.abs(m) || 1), Math.abs(white) / Math.max(255, Math.abs(m)));
  return { step, center, unit, error };
}

/** What each byte becomes in each of the channels, 256 values a channel, rounded as the kernels round. */
export function levels({ step, center, unit }: PixelMap, channels: number): Float32Array {
  return Float32Array.from({ length: 256 * channels }, (_, i) => {
    const c = i >> 8;
    return Math.fround(step[c] * (i & 255) - center[c]) * unit[c];
  });
}

/** A map, and what each byte becomes by it: kernels compute it, loops look it up. */
export interface PixelTable {
  readonly map: PixelMap;
  readonly levels: Float32Array;
}

export function pixelTable(mean: ArrayLike<number>, std: ArrayLike<number>): PixelTable {
  const map = pixelMap(mean, std);
  return { map, levels: levels(map, mean.length) };
}
