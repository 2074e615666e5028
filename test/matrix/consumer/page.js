// A page that a bundler builds.

import * as simdnorm from "simdnorm";
import { post } from "./post.js";

post(simdnorm);
