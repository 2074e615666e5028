// The public names, and nothing else.

export { backend, type InitOptions, init } from "./backend.js";
export {
  BatchNorm,
  type BatchNormOptions,
  type NormalizeOptions,
} from "./batch-norm.js";
export {
  type AddOptions,
  Moments,
  type MomentsJSON,
  type MomentsOptions,
} from "./moments.js";
export { type Data, Tensor } from "./tensor.js";
