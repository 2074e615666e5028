// The entry for TensorFlow.js, whose declarations need none of TensorFlow.js, which is not installed here.

import { register } from "simdnorm/tfjs";

const undo: () => void = register("wasm");
undo();
register("cpu")();
register();

// @ts-expect-error: webgl has kernels of its own
register("webgl");
