// TensorFlow.js on the package, in ECMAScript modules.

import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { BatchNorm, backend } from "simdnorm";
import { register } from "simdnorm/tfjs";
import { check } from "./tfjs-check.js";

console.log(await check({ tf, register, BatchNorm, backend }, process.argv[2]));
