// A program in TypeScript and CommonJS.

import simdnorm = require("simdnorm");

const tensor = new simdnorm.Tensor([3, 2]);
const result: simdnorm.Tensor = new simdnorm.BatchNorm(2).infer(tensor);
result.dispose();

// @ts-expect-error: a number of features
new simdnorm.BatchNorm("2");
