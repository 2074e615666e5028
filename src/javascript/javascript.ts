// The JavaScript backend: the same steps as loops over the caller's own arrays, in float64. It runs where WebAssembly
// cannot, and is the baseline of the bench: the fastest loops found for V8. And the backend of float64 data: the same
// loops once more, whose result is not rounded.
//
// Locals stay float64: Math.fround would round the same and cost 2.5 times as much.

import { apply as applyDoubles, fold as foldDoubles, moments as momentsOfDoubles } from "#double/loops.js";
import { exhausted } from "../argument.js";
import { type Backend, NOTHING, type Pass, type Values, type View, viewOf } from "../backend.js";
import { backward, slopes } from "./backward.js";
import { gradients } from "./gradients.js";
import { apply, fold, moments } from "./loops.js";

const singles = { apply, fold, moments };

function backendOf(name: "javascript" | "double", loops: typeof singles): Backend {
  let x: View = NOTHING;
  let y: View = NOTHING;
  let beside: View | null = null;

  const pass: Pass = {
    moments(layout, into) {
      loops.moments(x, layout, into);
    },

    gradients(layout, statistics, norm, into) {
      gradients(x, beside ?? NOTHING, layout, statistics, norm, into);
    },

    apply(layout, map, after) {
      const coefficients = "map" in map ? map.map : loops.fold(map.statistics, map.norm);
      loops.apply(x, y, layout, coefficients, beside, after);
    },

    slope(layout, statistics, norm, weighted) {
      backward(x, beside ?? NOTHING, y, layout, statistics, slopes(statistics, norm, weighted));
    },

    close() {
      x = NOTHING;
      y = NOTHING;
      beside = null;
    },
  };

  return {
    name,

    allocate(length) {
      try {
        return { pointer: 0, end: 0, values: new Float32Array(length), free() {} };
      } catch (cause) {
        throw exhausted(4 * length, cause);
      }
    },

    table(mapping) {
      return { ...mapping, pointer: 0, copies: 1, free() {} };
    },

    keep() {
      return { pointer: 0, held: undefined, free() {} };
    },

    map(input, output, other, layout, map, after) {
      this.open(input, output, other).apply(layout, map, after);
      pass.close();
    },

    open(input: Values, output: Values | null, other: Values | null) {
      x = viewOf(input);
      y = output === null ? NOTHING : viewOf(output);
      beside = other === null ? null : viewOf(other);
      return pass;
    },
  };
}

export const javascript = backendOf("javascript", singles);

let doubles: Backend | undefined;

/** For float64 data. Layers have none: made at its first use, it is not in a bundle of layers alone. */
export function double(): Backend {
  doubles ??= backendOf("double", { apply: applyDoubles, fold: foldDoubles, moments: momentsOfDoubles });
  return doubles;
}
