// The loops that exist for both kinds of values. They are bundled twice (see build.js), because V8 keeps what it learns
// of a loop with its source: applying a map to both kinds in turn takes 1.8 times as long.

export { apply, fold } from "./apply.js";
export { extrema } from "./extrema.js";
export { moments } from "./moments.js";
export { countPresent, momentsPresent } from "./present.js";
