// Statistics in f64, whatever the values are: the boundary. See index.ts for the conventions;
//
//   bytes   of a value: 4 for f32, 8 for f64
//   skip    whether NaN is left out, or propagates

export { collectMoments, noMoments } from "./exact";
export { columnsExact, doubleRows1, doubleRows4, floatRows1, floatRows4 } from "./exact-columns";
export {
  doublePlanes,
  doublePresent,
  floatPlanes,
  floatPresent,
  imageExact,
  planesExact,
} from "./exact-planes";
export {
  collectExtrema,
  columnsExtrema,
  doubleEnds4,
  doublePlanesEnds,
  floatEnds4,
  floatPlanesEnds,
  noExtrema,
  planesExtrema,
} from "./extrema";
export { lines } from "./range";
