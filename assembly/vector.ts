// What every kernel family shares: moving between four f32 lanes and two pairs of f64 lanes.

/** [a, b, c, d] → f64 [a, b] */
export function lower(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

/** [a, b, c, d] → f64 [c, d] */
export function upper(v: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 0));
}

/** f64 [a, b], f64 [c, d] → [a, b, c, d], each rounded to f32 */
export function narrow(ab: v128, cd: v128): v128 {
  return i64x2.shuffle(f32x4.demote_f64x2_zero(ab), f32x4.demote_f64x2_zero(cd), 0, 2);
}

/** The masks of f64 [a, b] and f64 [c, d] as the masks of [a, b, c, d] */
export function halves(ab: v128, cd: v128): v128 {
  return i32x4.shuffle(ab, cd, 0, 2, 4, 6);
}

/** The first of `width` lanes of which `left` are features; those behind the last feature hold anything. */
export function mask(left: i32, width: i32): i32 {
  return (1 << max(min(left, width), 0)) - 1;
}

/** [a, b, c, d] → (a + c) + (b + d) in every lane; exact for four equal values */
export function horizontal(v: v128): v128 {
  const pairs = f32x4.add(v, i64x2.shuffle(v, v, 1, 0));
  return f32x4.add(pairs, i32x4.shuffle(pairs, pairs, 1, 0, 3, 2));
}

/** [a, b, c, d], [e, f, g, h] → f64 [(a + c) + (b + d), (e + g) + (f + h)]; the sums in brackets are f32 */
export function totals(first: v128, second: v128): v128 {
  const pairs = f32x4.add(i32x4.shuffle(first, second, 0, 4, 1, 5), i32x4.shuffle(first, second, 2, 6, 3, 7));
  return f64x2.add(lower(pairs), upper(pairs));
}

/** (x − center)·scale + shift */
export function affine(x: v128, center: v128, scale: v128, shift: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.sub(x, center), scale), shift);
}
