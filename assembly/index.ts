// The boundary. Kernels are pure functions of pointers and counts: no imports, no state, no strings.
//
//   pointer   bytes; x and y are f32, statistics f64, four-byte alignment is enough
//   stride    bytes from row to row;  span: bytes from stream to stream
//   counts    elements (rows, features, columns, copies, images, planes, inner); `count`, a number of samples, is an f64
//   columns   features · inner · copies: `copies` rows are read as one (see tiles.ts)
//   table     packed (see table.ts): 12 bytes a column for a map, 16 for a slope
//   scratch   room for 32 bytes a column, which a kernel uses and nobody reads
//
// Arrays per feature and tables are padded to a multiple of 8. Padding lanes are computed and never used.

export { columnsApply, planesApply } from "./apply";
export { columnsBackward, planesBackward } from "./backward";
export {
  columnsBackward1,
  columnsBackward4,
  columnsGradients1,
  columnsGradients4,
  columnsSums1,
  columnsSums4,
  imageApply,
  imageBackward,
  imageGradients,
  imageMoments,
  planesSums,
  rowsApply,
} from "./blocks";
export { fold, foldSlope, foldSums, keep, pack } from "./fold";
export { columnsGradients, planesGradients } from "./gradients";
export { doubtful } from "./merge";
export { columnsMoments, columnsMomentsExact } from "./moments-columns";
export { planesMoments, planesMomentsExact } from "./moments-planes";
export { tileTable } from "./tiles";

/** Takes `bytes` of linear memory, growing it if need be: a pointer, aligned to 16 bytes. */
export function allocate(bytes: usize): usize {
  return heap.alloc(bytes);
}

/** Gives back what `allocate` took. */
export function free(pointer: usize): void {
  heap.free(pointer);
}
