// Random calls of every operation against the formulas in float64, with the promised bounds: guards around what is
// written, inputs as they were, and the same bits at any alignment. `npm run fuzz` makes as many as you like; a failure
// prints its seed and path.

import fc from "fast-check";
import { init } from "simdnorm";
import { expect, test } from "vitest";
import { foldingCases, LAYOUTS, runFolding } from "../random/foldings.js";
import { imageCases, runImages } from "../random/images.js";
import { layerCases, runLayer } from "../random/layers.js";
import { expectSame } from "../random/places.js";
import { runSamples, sampleCases } from "../random/samples.js";

const {
  FUZZ_RUNS = "150",
  FUZZ_SEED = "1",
  FUZZ_PATH,
  FUZZ_BACKEND,
  FUZZ_FAMILY,
  FUZZ_MINUTES,
} = process.env;

const families = {
  layers: layerCases.map((c) => ({ family: "layers", c, run: () => runLayer(c) })),
  samples: sampleCases.map((c) => ({ family: "samples", c, run: () => runSamples(c) })),
  images: imageCases.map((c) => ({ family: "images", c, run: () => runImages(c) })),
  foldings: foldingCases(...LAYOUTS).map((c) => ({ family: "foldings", c, run: () => runFolding(c) })),
};

const chosen = Object.entries(families).filter(([name]) => FUZZ_FAMILY === undefined || name === FUZZ_FAMILY);
const weights: Record<string, number> = { layers: 4, samples: 3, images: 1, foldings: 1 };
const call = fc.oneof(...chosen.map(([name, arbitrary]) => ({ arbitrary, weight: weights[name] })));
const backend = fc.constantFrom(
  ...(["wasm", "javascript"] as const).filter((name) => (FUZZ_BACKEND ?? name) === name),
);

test("random calls", { timeout: 0 }, () => {
  let calls = 0;
  const property = fc.property(backend, call, (backend, { run }) => {
    init({ backend });
    const { results, again, intact } = run();
    expect(intact, "guards and inputs").toBe(true);
    expectSame("at other alignments", again, results);
    calls++;
  });
  fc.assert(property, {
    numRuns: Number(FUZZ_RUNS),
    seed: Number(FUZZ_SEED),
    ...(FUZZ_PATH !== undefined && { path: FUZZ_PATH }),
    ...(FUZZ_MINUTES !== undefined && { interruptAfterTimeLimit: 60_000 * Number(FUZZ_MINUTES) }),
  });
  if (FUZZ_SEED !== "1") console.log(`${calls} calls, seed ${FUZZ_SEED}: nothing found`);
});
