// The tests of batch normalization that tfjs-core ships, for both backends.

import "./environment.js";
import "@tensorflow/tfjs-core/dist/ops/batchnorm_test";
