// What both reductions to moments share: Chan's merge, two features at a time, and when to doubt
// its result. T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance", The American
// Statistician 37 (1983).
//
// A block of `pending` samples is known by its shift K, S = Σ(x − K) and Q = Σ(x − K)². With
// d = S/pending and e = K + d − mean it joins moments of `count` samples as
//   mean += e·pending/(count + pending)
//   m2   += (Q − S·d) + e²·count·pending/(count + pending)

/** 1/pending, by which S becomes d. */
export function inverse(pending: f64): v128 {
  return f64x2.splat(1 / pending);
}

/** The weight of the new samples: pending/(count + pending). */
export function weight(count: f64, pending: f64): v128 {
  return f64x2.splat(pending / (count + pending));
}

/** The weight of e²: count·pending/(count + pending). */
export function between(count: f64, pending: f64): v128 {
  return f64x2.splat((count * pending) / (count + pending));
}

/** Merges the sums of two features into their mean and m2; returns the new mean. */
export function merge(
  mean: usize,
  m2: usize,
  k: v128,
  s: v128,
  q: v128,
  inverse: v128,
  weight: v128,
  between: v128,
): v128 {
  const d = f64x2.mul(s, inverse);
  const m = v128.load(mean);
  const e = f64x2.sub(f64x2.add(k, d), m);
  const within = f64x2.sub(q, f64x2.mul(s, d));
  const apart = f64x2.mul(f64x2.mul(e, e), between);
  v128.store(m2, f64x2.add(v128.load(m2), f64x2.add(within, apart)));
  const merged = f64x2.add(m, f64x2.mul(e, weight));
  v128.store(mean, merged);
  return merged;
}

/**
 * Whether some feature's moments may be beyond what f32 sums can hold and have to be reduced exactly:
 * not finite, negative, or a variance below 10⁻³⁶ where squares underflow. A variance of exactly 0 is
 * that of a constant, unless the values are so small that all their squares vanished.
 */
export function doubtful(mean: usize, m2: usize, count: f64, features: usize): bool {
  const least = count * 1e-36;
  for (let j: usize = 0; j < features; j++) {
    const squares = load<f64>(m2 + (j << 3));
    if (squares >= least && squares < Infinity) continue;
    const size = Math.abs(load<f64>(mean + (j << 3)));
    if (squares === 0 && (size === 0 || size > 1e-15)) continue;
    return true;
  }
  return false;
}
