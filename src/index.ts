// The public names, and nothing else.

export { Affine, type AffineOptions } from "./affine.js";
export { backend, type InitOptions, init } from "./backend.js";
export { type BackwardOptions, type BackwardResult, BatchNorm, type BatchNormOptions } from "./batch-norm.js";
export type { ApplyOptions } from "./call.js";
export { type AddOptions, Moments, type MomentsJSON, type MomentsOptions } from "./moments.js";
export { type Data, Tensor } from "./tensor.js";
