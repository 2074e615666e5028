// simdnorm/edge: the same names, on kernels that the host's bundler has compiled. For edge runtimes that
// forbid compiling: Vercel Edge, Nitro, Cloudflare Workers before their compatibility date 2025-06-01.

import { init } from "./index.js";
import module from "./kernels.wasm?module";

init({ module });

export * from "./index.js";
