// A web worker answers with what the library has allocated.

import { BatchNorm, type BatchNormJSON } from "simdnorm";

addEventListener("message", ({ data }: MessageEvent<{ state: BatchNormJSON; x: Float32Array }>) => {
  const y = BatchNorm.fromJSON(data.state).infer(data.x);
  postMessage(y, [y.buffer]);
});
