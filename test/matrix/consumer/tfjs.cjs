// TensorFlow.js on the package, in CommonJS.

require("@tensorflow/tfjs-backend-cpu");
require("@tensorflow/tfjs-backend-wasm");
const tf = require("@tensorflow/tfjs-core");
const { BatchNorm, backend } = require("simdnorm");
const { register } = require("simdnorm/tfjs");

import("./tfjs-check.js")
  .then(({ check }) => check({ tf, register, BatchNorm, backend }, process.argv[2]))
  .then(console.log);
