// The packed tables that loops over columns read: features in groups of 8, and per group one row of 8 f32 for
// each coefficient, so that one pointer reaches them all.
//
//   map    [center | scale | shift]     written by fold.ts, read by apply.ts
//   sums   [K | S | Q]                  moments-columns.ts and gradients.ts
//   slope  [center | A | B | C]         written by fold.ts, read by backward.ts

import { narrow } from "./vector";

/** Bytes of a group with one row. */
export const ROW: usize = 32;

/** Bytes of a group of a map and of sums. */
export const GROUP: usize = 96;

/** Bytes of a group of a slope. */
export const SLOPE_GROUP: usize = 128;

/** Groups of 8 features. */
export function groups(features: usize): usize {
  return (features + 7) >> 3;
}

/** Where the feature stands in the first row of its group of `group` bytes. */
export function laneOf(table: usize, feature: usize, group: usize): usize {
  return table + (feature >> 3) * group + ((feature & 7) << 2);
}

/** Bytes from 4 features to the next 4, of which `left` are to come, in groups of `group` bytes. */
export function nextHalf(left: usize, group: usize): usize {
  return left & 1 ? group - 16 : 16;
}

/** No sums yet, about the mean: [f32(mean) | 0 | 0] */
export function emptySums(columns: usize, table: usize, mean: usize): void {
  const zero = f32x4.splat(0);
  let left = groups(columns) << 1;
  do {
    v128.store(table, narrow(v128.load(mean), v128.load(mean, 16)));
    v128.store(table, zero, 32);
    v128.store(table, zero, 64);
    table += nextHalf(left, GROUP);
    mean += 32;
  } while (--left);
}
