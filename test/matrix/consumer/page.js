// A page that a bundler builds.

import { BatchNorm, backend, Tensor } from "simdnorm";
import { post } from "./post.js";

post({ BatchNorm, Tensor, backend });
