// TensorFlow.js on the package, in a page that a bundler builds.

import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { BatchNorm, backend } from "simdnorm";
import { register } from "simdnorm/tfjs";
import { post } from "./post.js";
import { check } from "./tfjs-check.js";

post(() => check({ tf, register, BatchNorm, backend }, "cpu"));
