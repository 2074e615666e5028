// The JavaScript backend: the same steps as loops over the caller's own arrays, in float64. It runs where WebAssembly
// cannot, and is the baseline of the bench: the fastest loops found for V8.
//
// Locals stay float64: Math.fround would round the same and cost 2.5 times as much.

import { type Backend, type Pass, type Values, viewOf } from "../backend.js";
import { apply, fold } from "./apply.js";
import { backward, slopes } from "./backward.js";
import { extrema } from "./extrema.js";
import { gradients } from "./gradients.js";
import { moments } from "./moments.js";

const NOTHING = new Float32Array();

let x: Float32Array = NOTHING;
let y: Float32Array = NOTHING;
let beside: Float32Array | null = null;

const pass: Pass = {
  moments(layout, into) {
    moments(x, layout, into);
  },

  extrema(layout, into) {
    return extrema(x, layout, into);
  },

  gradients(layout, statistics, norm, into) {
    gradients(x, beside ?? NOTHING, layout, statistics, norm, into);
  },

  apply(layout, map, after) {
    apply(x, y, layout, "pointer" in map ? map.map : fold(map.statistics, map.norm), beside, after);
  },

  slope(layout, statistics, norm, of) {
    backward(x, beside ?? NOTHING, y, layout, statistics, slopes(statistics, norm, of));
  },

  close() {
    x = NOTHING;
    y = NOTHING;
    beside = null;
  },
};

export const javascript: Backend = {
  name: "javascript",

  allocate(length) {
    return { values: new Float32Array(length), free() {} };
  },

  table(map) {
    return { map, pointer: 0, copies: 1, free() {} };
  },

  open(input: Values, output: Values | null, other: Values | null) {
    x = viewOf(input);
    y = output === null ? NOTHING : viewOf(output);
    beside = other === null ? null : viewOf(other);
    return pass;
  },
};
