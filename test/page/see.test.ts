// See it: the distributions of a table, as it is and normalized, and a table of one's own.

import { readFileSync } from "node:fs";
import type { Browser, Locator, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTable } from "../../examples/playground/table.js";
import { moments, u } from "../reference.js";
import { launch, type Site, serve, visit } from "./site.js";

let browser: Browser;
let site: Site;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), serve()]);
  ({ page, complaints } = await visit(browser, site));
  // The last that it opens with.
  await page.locator("#hero-figure.normalized").waitFor();
});

afterAll(async () => {
  await browser?.close();
  site?.close();
});

const panel = (method: string) => page.locator(`#see-${method}`);
const status = () => page.locator("#see-status");

/** Where the ridges of a panel begin and how wide they are, in pixels. */
const extents = (place: Locator) =>
  place
    .locator("[data-part=line] path")
    .evaluateAll((paths) =>
      paths.map((path) => (path as SVGPathElement).getBBox()).map(({ x, width }) => ({ x, width })),
    );

/** Moves a slider, and waits until the ridges have followed. */
async function slide(name: string, value: number): Promise<void> {
  const before = await panel("batch").innerHTML();
  await page.locator(`#${name}`).fill(String(value));
  await expect.poll(() => panel("batch").innerHTML()).not.toBe(before);
  await page.locator("#see-status:not(:empty)").waitFor();
}

/** A file with this text is dropped on the section. */
async function drop(name: string, text: string): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([name, text]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], name));
      return transfer;
    },
    [name, text],
  );
  await page.dispatchEvent("#see", "drop", { dataTransfer: transfer });
}

/** The text of the file that the button saves. */
async function save(method: string): Promise<{ name: string; text: string }> {
  await page.locator("#see-method").selectOption(method);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#see-save")]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
}

const wine = readTable(
  readFileSync(new URL("../../examples/data/wine.csv", import.meta.url), "utf8"),
  "cultivar",
);
const { mean, variance } = moments(wine.values, { outer: wine.rows, features: 13, inner: 1 });

describe("the page opens with wine", () => {
  test("on WebAssembly, with four pictures of 13 columns, and a first one", async () => {
    await expect.poll(() => page.locator("#backend").innerText()).toBe("WebAssembly SIMD kernels");
    for (const place of ["see-before", "see-batch", "see-standard", "see-range", "hero-figure"]) {
      const ridges = page.locator(`#${place} [data-part=area] path`);
      await expect.poll(() => ridges.count()).toBe(13);
    }
    await expect
      .poll(() => status().innerText())
      .toMatch(/^178 rows × 13 columns of numbers; left as they are: cultivar;/);
  });

  test("its first picture shows each column where it was: mean and deviation on one axis", async () => {
    const figure = page.locator("#hero-figure");
    await page.locator("#hero-figure.normalized").waitFor();
    await page.click("#hero-toggle");
    const ridges = await figure.locator("[data-part=line] path").evaluateAll((paths) =>
      paths.map((path) => {
        const [stretch, , , , shift] = getComputedStyle(path)
          .getPropertyValue("--before")
          .match(/-?[\d.e-]+(?=px|\))/g)!
          .map(Number)
          .flatMap((value, i, all) => (i === 0 ? [all[1], 0, 0, 0, value] : []));
        return { stretch, shift };
      }),
    );
    const deviations = Array.from(variance, Math.sqrt);
    const widest = Math.max(...mean.map((value, j) => value + 3 * deviations[j]));
    for (const [j, { stretch }] of ridges.entries()) {
      // Eight deviations fill the axis of what is normalized, [0, widest] that of what is not.
      expect(stretch).toBeCloseTo((8 * deviations[j]) / widest, 6);
    }
    // All centers at 0 of the one axis: their places on the other differ as their means do.
    const zero = await figure.locator("svg").evaluate((svg) => {
      const { left } = svg.getBoundingClientRect();
      const marks = Array.from(svg.querySelectorAll(".axis-after text"), (text) => {
        const box = text.getBoundingClientRect();
        return box.left + box.width / 2 - left;
      });
      return { zero: marks[2], unit: (marks[4] - marks[0]) / 8 };
    });
    const center = ({ stretch, shift }: { stretch: number; shift: number }) => stretch * zero.zero + shift;
    const apart = center(ridges[12]) - center(ridges[0]);
    expect(apart / (8 * zero.unit)).toBeCloseTo((mean[12] - mean[0]) / widest, 2);
    await page.click("#hero-toggle");
  });
});

describe("the sliders", () => {
  /** Pixels of 1 on the axis of the panel, whose domain is [−6, 6]. */
  const unit = () =>
    panel("batch")
      .locator("svg")
      .evaluate((svg: SVGSVGElement) => {
        const ticks = Array.from(svg.querySelectorAll("[data-part='x-axis tick'] path"));
        const [first, second] = ticks.map((tick) =>
          Number(tick.getAttribute("transform")!.match(/\(([\d.]+)/)![1]),
        );
        return (second - first) / 2;
      });

  test("beta moves every ridge by as much", async () => {
    const before = await extents(panel("batch"));
    await slide("beta", 1.5);
    const after = await extents(panel("batch"));
    const one = await unit();
    for (const [j, { x, width }] of after.entries()) {
      expect(x - before[j].x).toBeCloseTo(1.5 * one, 1);
      expect(width).toBeCloseTo(before[j].width, 1);
    }
    await slide("beta", 0);
  });

  test("gamma makes every ridge as many times as wide", async () => {
    const before = await extents(panel("batch"));
    await slide("gamma", 2);
    const after = await extents(panel("batch"));
    for (const [j, { width }] of after.entries()) expect(width / before[j].width).toBeCloseTo(2, 2);
    await slide("gamma", 1);
  });

  test("epsilon makes a ridge narrower by √(variance/(variance + epsilon))", async () => {
    const before = await extents(panel("batch"));
    await slide("epsilon", 3);
    const after = await extents(panel("batch"));
    for (const j of [3, 4, 12]) {
      const narrower = Math.sqrt((variance[j] + 1e-5) / (variance[j] + 1e3));
      expect(after[j].width / before[j].width).toBeCloseTo(narrower, 2);
    }
    await slide("epsilon", -5);
  });

  test("they answer for a million rows, too, and the page says how long it took", async () => {
    await page.getByLabel("a million rows").check();
    await expect.poll(() => status().innerText()).toMatch(/^1,000,000 rows × 6 columns/);
    const before = await extents(panel("batch"));
    expect(before).toHaveLength(6);
    await slide("gamma", 0.5);
    const after = await extents(panel("batch"));
    for (const [j, { width }] of after.entries()) expect(width / before[j].width).toBeCloseTo(0.5, 2);
    expect(await status().innerText()).toMatch(/batch normalization of all took [\d.]+ m?s\.$/);
    await slide("gamma", 1);
  });
});

test("of 64 pixels sixteen are shown, and the others can be chosen", async () => {
  await page.getByLabel("digits").check();
  await expect.poll(() => status().innerText()).toMatch(/^1,797 rows × 64 columns/);
  const columns = page.locator("#see-columns");
  expect(await columns.locator("option").allInnerTexts()).toEqual([
    "p0 to p15",
    "p16 to p31",
    "p32 to p47",
    "p48 to p63",
  ]);
  await columns.selectOption("p16 to p31");
  await expect
    .poll(() => panel("before").locator("svg").getAttribute("aria-label"))
    .toMatch(/distributions of p16, p17, .* p31$/);
  expect(await panel("range").locator("[data-part=area] path").count()).toBe(16);
});

describe("a CSV file", () => {
  // Semicolons, quotes, text, gaps in three spellings, a constant, and a column that begins far from 0.
  const csv = [
    "name;height;constant;time",
    '"Ada; countess";1.5;7;1700000000123',
    "Blaise;NA;7;1700000000456",
    "Carl;2.25;7;",
    "Dorothy;-4;7;1700000000789",
    "Emmy;0.125;;1700000009999",
  ].join("\n");
  const rows = csv.split("\n").slice(1);
  const fields = rows.map((row) => row.replace('"Ada; countess"', "Ada").split(";"));

  test("is dropped, shown, and saved standardized, by the formula", async () => {
    await drop("people.csv", csv);
    await expect
      .poll(() => status().innerText())
      .toMatch(/^5 rows × 3 columns of numbers; left as they are: name; 3 gaps, kept/);
    expect(await panel("standard").locator("[data-part=area] path").count()).toBe(3);

    const { name, text } = await save("standard");
    expect(name).toBe("people-standard.csv");
    const [head, ...saved] = text.trimEnd().split("\n");
    expect(head).toBe("name;height;constant;time");
    expect(saved[0]).toMatch(/^"Ada; countess";/);
    const result = saved.map((row) => row.replace('"Ada; countess"', "Ada").split(";"));
    for (const j of [1, 2, 3]) {
      const present = fields.map((row) => row[j]).filter((field) => field !== "" && field !== "NA");
      const x = present.map(Number);
      const { mean, variance } = moments(x, { outer: x.length, features: 1, inner: 1 });
      const deviation = Math.sqrt(variance[0]) || 1;
      for (const [i, row] of fields.entries()) {
        const gap = row[j] === "" || row[j] === "NA";
        if (gap) expect(result[i][j]).toBe(row[j]);
        else {
          const exact = (Number(row[j]) - mean[0]) / deviation;
          // The mean of timestamps is good to some units of 2⁻⁵³ of them: the package promises 10⁻¹².
          expect(Math.abs(Number(result[i][j]) - exact)).toBeLessThan(
            (1e-12 * Math.abs(mean[0])) / deviation + 1e-12,
          );
        }
      }
    }
  });

  test("is saved as min–max, and batch normalized by the sliders", async () => {
    const range = (await save("range")).text.trimEnd().split("\n").slice(1);
    expect(range.map((row) => row.split(";").at(-3))).toEqual(["0.88", "NA", "1", "0", "0.66"]);

    await slide("beta", 2);
    const batch = (await save("batch")).text.trimEnd().split("\n").slice(1);
    const x = [1.5, 2.25, -4, 0.125];
    const { mean, variance } = moments(x, { outer: 4, features: 1, inner: 1 });
    const heights = batch.map((row) => row.split(";").at(-3));
    expect(heights[1]).toBe("NA");
    for (const [k, i] of [0, 2, 3, 4].entries()) {
      const term = (x[k] - mean[0]) / Math.sqrt(variance[0] + 1e-5);
      // Inference's promise: within 5u of the largest of its terms.
      expect(Math.abs(Number(heights[i]) - (term + 2))).toBeLessThanOrEqual(
        5 * u * Math.max(Math.abs(term), 2, Math.abs(term + 2)),
      );
    }
    await slide("beta", 0);
  });

  test("without names has columns by their numbers", async () => {
    await drop("bare.csv", "1,2\n3,4\n5,7\n");
    await expect.poll(() => status().innerText()).toMatch(/^3 rows × 2 columns of numbers; batch/);
    expect(await panel("before").locator("svg").getAttribute("aria-label")).toMatch(/column 1, column 2$/);
    expect((await save("range")).text).toBe("0,0\n0.5,0.4\n1,1\n");
  });

  test("with decimal commas is saved with them, and a point beside them is not guessed at", async () => {
    await drop("comma.csv", "name;height;cost\nAda;1,5;1.200\nBen;N/A;900\nCleo;2,5;\n");
    await expect
      .poll(() => status().innerText())
      .toMatch(/^3 rows × 1 column of numbers; left as they are: name, cost; 1 gap, kept/);
    await slide("beta", 0.5);
    expect((await save("standard")).text).toBe("name;height;cost\nAda;-1;1.200\nBen;N/A;900\nCleo;1;\n");
    expect((await save("batch")).text).toMatch(/\nAda;-0,4\d+;1\.200\nBen;N\/A;900\nCleo;1,4\d+;\n$/);
    await slide("beta", 0);
  });

  test("without numbers is refused in words, and the next one is read", async () => {
    await drop("words.csv", `a,${"b".repeat(99)}\nc,${"d".repeat(99)}\n`);
    await expect
      .poll(() => status().innerText())
      .toBe(
        `words: no column of it is numbers and gaps alone: a has c; ${"b".repeat(39)}… has ${"d".repeat(39)}…. Below is still comma.`,
      );
    await page.locator("#see-file").setInputFiles({
      name: "chosen.csv",
      mimeType: "text/csv",
      buffer: Buffer.from("a\n1\n2\n"),
    });
    await expect.poll(() => status().innerText()).toMatch(/^2 rows × 1 column of numbers/);
    expect((await save("standard")).text).toBe("a\n-1\n1\n");
  });
});

test("nothing complains", () => {
  expect(complaints).toEqual([]);
});
