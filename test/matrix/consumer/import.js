// A program in ECMAScript modules.

import { BatchNorm, backend, Tensor } from "simdnorm";
import { check } from "./check.js";

console.log(check({ BatchNorm, Tensor, backend }));
