// The steps on rows as loops: what runs where WebAssembly cannot, and on rows that are faster here, or too long.

import { type RowSteps, viewOf } from "../backend.js";
import { layerNorm, rmsNorm } from "./rows.js";
import { layerNormBackward, rmsNormBackward } from "./rows-backward.js";

export const rowSteps: RowSteps = {
  apply(norm, x, y, skip, sum) {
    const { centered, features } = norm;
    const values = viewOf(x);
    const run = centered ? layerNorm : rmsNorm;
    run(
      values,
      viewOf(y),
      values.length / features,
      features,
      norm,
      skip && viewOf(skip),
      sum && viewOf(sum),
    );
  },

  backward(norm, x, dy, dx, into) {
    const { centered, features } = norm;
    const values = viewOf(x);
    const run = centered ? layerNormBackward : rmsNormBackward;
    run(values, viewOf(dy), viewOf(dx), values.length / features, features, norm, into);
  },
};
