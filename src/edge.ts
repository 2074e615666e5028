// simdnorm/edge: the same names, on kernels that the host's bundler has compiled. For edge runtimes that
// forbid compiling: Vercel Edge, Nitro, Cloudflare Workers before their compatibility date 2025-06-01.

import { init } from "./index.js";
import kernels from "./kernels.wasm?module";
import pixels from "./pixels.wasm?module";
import rows from "./rows.wasm?module";
import statistics from "./statistics.wasm?module";

init({ module: [kernels, pixels, rows, statistics] });

export * from "./index.js";
