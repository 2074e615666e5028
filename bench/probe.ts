// The bound: y = x·c, the least that a kernel does which reads and writes its data. Compiled by `npm run bench`.
// Four far quarters are walked together, as the kernels walk their rows: one stream alone asks less of the memory.

export function scale(x: usize, y: usize, length: usize, c: f32): void {
  const factor = f32x4.splat(c);
  const delta = y - x;
  // Bytes, a multiple of two vectors.
  const quarter = length & ~31;
  const last = x + (length << 2);
  const end = x + quarter;
  if (x < end) {
    do {
      let from = x;
      scale8(from, delta, factor);
      scale8((from += quarter), delta, factor);
      scale8((from += quarter), delta, factor);
      scale8((from += quarter), delta, factor);
      x += 32;
    } while (x < end);
  }
  for (x += 3 * quarter; x < last; x += 4) store<f32>(x + delta, load<f32>(x) * c);
}

function scale8(x: usize, delta: usize, factor: v128): void {
  const y = x + delta;
  v128.store(y, f32x4.mul(v128.load(x), factor));
  v128.store(y, f32x4.mul(v128.load(x, 16), factor), 16);
}
