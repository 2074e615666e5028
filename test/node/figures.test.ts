// What pages say of measurements is what the command beside it has written: not the figures, which are the machine's.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
// @ts-expect-error: the bench is JavaScript without types.
import { pages } from "../../bench/tables.js";

const measurement = JSON.parse(readFileSync(new URL("../../bench/results.json", import.meta.url), "utf8"));

test("the figures of the README and of the guides are those of bench/results.json", () => {
  expect(pages.length).toBeGreaterThan(0);
  for (const [page, , text] of pages) {
    expect(readFileSync(page, "utf8")).toContain(text(measurement.results, measurement));
  }
});
