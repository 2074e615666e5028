// The data: shards of rows, each made from a seed, so that every machine has them. Yours are files, or objects.

import { setImmediate } from "node:timers/promises";

const UNITS = [1e-3, 1e-2, 1e-1, 1, 10, 100, 1e3, 1e4];
export const FEATURES = UNITS.length;
const PIECE = 8192;

/** All that a worker is sent: which shards, not their rows. */
export function shards(count, rows) {
  return Array.from({ length: count }, (_, seed) => ({ seed, rows }));
}

/**
 * The rows of a shard, piece by piece: row-major float32, one in a hundred of the last feature's values missing. The
 * buffer is this call's own: a process may have several shards in hand.
 */
export async function* rowsOf({ seed, rows }) {
  const random = uniform(seed);
  const piece = new Float32Array(PIECE * FEATURES);
  for (let first = 0; first < rows; first += PIECE) {
    const length = Math.min(PIECE, rows - first) * FEATURES;
    for (let i = 0; i < length; i++) {
      const feature = i % FEATURES;
      piece[i] = UNITS[feature] * (random() + random() + random() + feature);
      if (feature === FEATURES - 1 && random() < 0.01) piece[i] = Number.NaN;
    }
    yield piece.subarray(0, length);
    await setImmediate(); // As reading does: in between the worker renews its lock.
  }
}

/** Uniform in [0, 1), from integers: the same numbers on every machine. */
function uniform(seed) {
  let state = Math.imul(seed + 1, 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
