// What may follow the affine step before the value is stored: y + residual, clamped to low … high.
// One of three classes says so at compile time, so that the bare loop pays nothing.

export class Bare {}
export class Clamped {}
export class Added {}

/** Whether a clamp changes anything. */
export function clamps(low: f32, high: f32): bool {
  return low > -Infinity || high < Infinity;
}

/** pmax and pmin are one instruction each (f32x4.max takes five), and leave NaN as it is. */
export function after<After>(v: v128, residual: usize, low: v128, high: v128): v128 {
  if (idof<After>() === idof<Bare>()) return v;
  if (idof<After>() === idof<Added>()) v = f32x4.add(v, v128.load(residual));
  return f32x4.pmin(f32x4.pmax(v, low), high);
}

/** The same for the first lane alone. */
export function afterLane<After>(v: v128, residual: usize, low: v128, high: v128): v128 {
  if (idof<After>() === idof<Bare>()) return v;
  if (idof<After>() === idof<Added>()) v = f32x4.add(v, v128.load32_zero(residual));
  return f32x4.pmin(f32x4.pmax(v, low), high);
}
