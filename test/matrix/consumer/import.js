// A program in ECMAScript modules.

import * as simdnorm from "simdnorm";
import { check } from "./check.js";

console.log(check(simdnorm));
