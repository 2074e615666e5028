// A page or a worker without a bundler.

import { check } from "./check.js";
import { BatchNorm, backend, Tensor } from "./node_modules/simdnorm/build/index.js";
import { post } from "./post.js";

post(() => check({ BatchNorm, Tensor, backend }));
