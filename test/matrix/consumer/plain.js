// A page or a worker without a bundler.

import { BatchNorm, backend, Tensor } from "./node_modules/simdnorm/build/index.js";
import { post } from "./post.js";

post({ BatchNorm, Tensor, backend });
