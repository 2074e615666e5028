// A program in TypeScript and CommonJS.

import simdnorm = require("simdnorm");
import edge = require("simdnorm/edge");
import tfjs = require("simdnorm/tfjs");

const tensor = new simdnorm.Tensor([3, 2]);
const result: simdnorm.Tensor = new simdnorm.BatchNorm(2).infer(tensor);
result.dispose();

const same: typeof simdnorm.BatchNorm = edge.BatchNorm;

const undo: () => void = tfjs.register("wasm");
undo();

// @ts-expect-error: a number of features
new simdnorm.BatchNorm("2");

export = same;
