// The bound: y = x·c, the least that a kernel does which reads and writes its data. Compiled by `npm run bench`.

export function scale(x: usize, y: usize, length: usize, c: f32): void {
  const factor = f32x4.splat(c);
  const delta = y - x;
  const end16 = x + ((length & ~15) << 2);
  const end = x + (length << 2);
  if (x < end16) {
    do {
      const to = x + delta;
      v128.store(to, f32x4.mul(v128.load(x), factor));
      v128.store(to, f32x4.mul(v128.load(x, 16), factor), 16);
      v128.store(to, f32x4.mul(v128.load(x, 32), factor), 32);
      v128.store(to, f32x4.mul(v128.load(x, 48), factor), 48);
      x += 64;
    } while (x < end16);
  }
  while (x < end) {
    store<f32>(x + delta, load<f32>(x) * c);
    x += 4;
  }
}
