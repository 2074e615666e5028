// The program of import.js, by the entry for edge runtimes: in Node, Deno and Bun it is the main one.

import { BatchNorm, backend, Tensor } from "simdnorm/edge";
import { check } from "./check.js";

console.log(check({ BatchNorm, Tensor, backend }));
