// The boundary. Kernels are pure functions of pointers and counts: no imports, no state, no strings.
//
//   pointer   bytes; x and y are f32, statistics f64, four-byte alignment is enough
//   stride    bytes from row to row;  span: bytes from stream to stream
//   counts    elements (rows, features, inner, planes); `count`, a number of samples, is an f64
//   table     per group of 8 features [center × 8 | scale × 8 | shift × 8] f32, 96 bytes
//
// Arrays per feature are padded to a multiple of 8. Padding lanes are computed and never used.

export * from "./backward";
export * from "./columns";
export * from "./extrema";
export * from "./fold";
export * from "./planes";

/** Takes `bytes` of linear memory, growing it if need be: a pointer, aligned to 16 bytes. */
export function allocate(bytes: usize): usize {
  return heap.alloc(bytes);
}

/** Gives back what `allocate` took. */
export function free(pointer: usize): void {
  heap.free(pointer);
}
