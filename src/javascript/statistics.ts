// The reductions of statistics as loops: what runs where WebAssembly cannot, and on data that are faster here.

import {
  countPresent as countPresentDoubles,
  extrema as extremaOfDoubles,
  moments as momentsOfDoubles,
  momentsPresent as momentsPresentOfDoubles,
} from "#double/loops.js";
import { isFloat64Array } from "../argument.js";
import { type Present, type StatisticsSteps, viewOf } from "../backend.js";
import { samples } from "../layout.js";
import { countPresent, extrema, moments, momentsPresent } from "./loops.js";

const singles = { countPresent, extrema, moments, momentsPresent };
const doubles: typeof singles = {
  countPresent: countPresentDoubles,
  extrema: extremaOfDoubles,
  moments: momentsOfDoubles,
  momentsPresent: momentsPresentOfDoubles,
};

/**
 * The features in whose moments NaN or infinity shows: they are reduced again, so that data without them pay nothing.
 */
export function oddOf({ mean, m2 }: Pick<Present, "mean" | "m2">): number[] {
  const odd: number[] = [];
  for (let j = 0; j < mean.length; j++) if (!Number.isFinite(m2[j] + mean[j])) odd.push(j);
  return odd;
}

export const statisticsSteps: StatisticsSteps = {
  moments(values, layout, skip, into) {
    const loops = isFloat64Array(values) ? doubles : singles;
    const x = viewOf(values);
    const { count, mean, m2 } = into;
    loops.moments(x, layout, { count: 0, mean, m2 });
    count.fill(samples(layout));
    if (!skip) return;
    const odd = oddOf(into);
    if (odd.length > 0) loops.momentsPresent(x, layout, odd, into);
  },

  extrema(values, layout, into) {
    const loops = isFloat64Array(values) ? doubles : singles;
    const x = viewOf(values);
    if (loops.extrema(x, layout, into)) loops.countPresent(x, layout, into.count);
    else into.count.fill(samples(layout));
  },
};
