// A page or a worker without a bundler.

import * as simdnorm from "./node_modules/simdnorm/build/index.js";
import { post } from "./post.js";

post(simdnorm);
