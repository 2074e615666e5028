// A page that a bundler builds.

import { BatchNorm, backend, Tensor } from "simdnorm";
import { check } from "./check.js";
import { post } from "./post.js";

post(() => check({ BatchNorm, Tensor, backend }));
