// Tiles: rows that follow each other are read as wider ones, so that a row fills vectors and has no tail. rows ×
// features is also rows/k × features·k, whose column j is feature (j / inner) % features of the original
// (inner > 1: small planes, read as columns).

import { GROUP, groups, laneOf, ROW } from "./table";

/** The feature of a column of the wider view. */
export function featureOf(column: usize, features: usize, inner: usize): usize {
  return (column / inner) % features;
}

/** The table of the wider view; a group of 8 features takes `group` bytes of it. */
export function tileTable(
  table: usize,
  features: usize,
  inner: usize,
  columns: usize,
  wide: usize,
  group: usize,
): void {
  for (let j: usize = 0; j < columns; j++) {
    const from = laneOf(table, featureOf(j, features, inner), group);
    const to = laneOf(wide, j, group);
    for (let row: usize = 0; row < group; row += ROW) store<f32>(to + row, load<f32>(from + row));
  }
}

/** Where a kernel's scratch memory holds two f64 per column, behind its table of sums. */
export function wideOf(scratch: usize, columns: usize): usize {
  return scratch + groups(columns) * GROUP;
}

/** Merges the moments of the wider view, `rows` samples each, into those of the features, `count` samples each. */
export function tileMoments(
  wideMean: usize,
  wideM2: usize,
  rows: f64,
  features: usize,
  inner: usize,
  columns: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  const period = features * inner;
  for (let feature: usize = 0; feature < features; feature++) {
    let n = count;
    let center = count === 0 ? 0 : load<f64>(mean + (feature << 3));
    let squares = count === 0 ? 0 : load<f64>(m2 + (feature << 3));
    for (let first = feature * inner; first < columns; first += period) {
      for (let j = first; j < first + inner; j++) {
        const e = load<f64>(wideMean + (j << 3)) - center;
        const weight = rows / (n + rows);
        center += e * weight;
        squares += load<f64>(wideM2 + (j << 3)) + e * e * n * weight;
        n += rows;
      }
    }
    store<f64>(mean + (feature << 3), center);
    store<f64>(m2 + (feature << 3), squares);
  }
}

/** Adds the sums of the wider view to those of the features. */
export function tileSums(wide: usize, features: usize, inner: usize, columns: usize, sums: usize): void {
  for (let j: usize = 0; j < columns; j++) {
    const to = sums + (featureOf(j, features, inner) << 3);
    store<f64>(to, load<f64>(to) + load<f64>(wide + (j << 3)));
  }
}
