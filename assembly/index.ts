// The boundary. Kernels are pure functions of pointers and counts: no imports, no state, no strings.
//
//   pointer   bytes; x and y are f32, statistics f64, four-byte alignment is enough
//   stride    bytes from row to row;  span: bytes from stream to stream
//   counts    elements (rows, features, columns, copies, images, planes, inner); `count`, a number of samples, is an f64
//   columns   features · inner · copies: `copies` rows are read as one (see tiles.ts)
//   table     packed (see table.ts): 12 bytes a column for a map and for extrema, 16 for a slope
//   scratch   room for 32 bytes a column, which a kernel uses and nobody reads
//
// Arrays per feature and tables are padded to a multiple of 8. Padding lanes are computed and never used.

// Blocks that the kernels above call. They are exported only so that the compiler does not inline them into their
// callers: V8 puts optimized code to work when a function is called, not while it loops.
export { columnsApply, imageApply, planesApply, rowsApply } from "./apply";
export {
  columnsBackward,
  columnsBackward1,
  columnsBackward2,
  columnsBackward4,
  imageBackward,
  planesBackward,
} from "./backward";
export {
  collectExtrema,
  columnsExtrema,
  columnsExtrema4,
  imageExtrema,
  noExtrema,
  planesExtrema,
} from "./extrema";
export { fold, foldSlope, foldSums, pack } from "./fold";
export {
  columnsGradients,
  columnsGradients1,
  columnsGradients2,
  columnsGradients4,
  imageGradients,
  planesGradients,
} from "./gradients";
export { doubtful } from "./merge";
export { columnsMoments, columnsMomentsExact, columnsSums1, columnsSums4 } from "./moments-columns";
export { imageMoments, planesMoments, planesMomentsExact, planesSums } from "./moments-planes";
export { layerNorm, rmsNorm } from "./rows";
export { layerNormBackward, rmsNormBackward } from "./rows-backward";
export { tileTable } from "./tiles";

/** Takes `bytes` of linear memory, growing it if need be: a pointer, aligned to 16 bytes. */
export function allocate(bytes: usize): usize {
  return heap.alloc(bytes);
}

/** Gives back what `allocate` took. */
export function free(pointer: usize): void {
  heap.free(pointer);
}
