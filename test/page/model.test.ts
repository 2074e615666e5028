// How fast here, and in a model: the benchmark, the network that learns, the digit that is drawn, the picture.

import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, type Site, serve, visit } from "./site.js";

let browser: Browser;
let site: Site;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), serve()]);
  ({ page, complaints } = await visit(browser, site));
  // The last of the sections is ready.
  await page.locator("#picture-status:not(:empty)").waitFor();
});

afterAll(async () => {
  await browser?.close();
  site?.close();
});

const text = (id: string) => page.locator(`#${id}`).innerText();

/** Workers of this name that run. */
const running = (name: string) => page.workers().filter((worker) => worker.url().includes(name)).length;

describe("the benchmark", () => {
  test("finishes, draws a bar for each contender, and says the ratios between them", async () => {
    await page.locator("#bench-shape").selectOption("256×256");
    await page.click("#bench-run");
    await expect.poll(() => text("bench-status")).toMatch(/^Training on 256×256/);
    const status = await text("bench-status");
    const ratios = Array.from(status.matchAll(/([\d.,]+) × (tuned|naive) JavaScript/g), ([, ratio]) =>
      Number(ratio),
    );
    expect(ratios).toHaveLength(4);

    // The ratios are those of the figures at the bars: of three digits, said with two.
    const label = await page.locator("#bench-figure svg").getAttribute("aria-label");
    const [tensor, array, tuned, naive] = Array.from(label!.matchAll(/[a-z] ([\d.]+)(?:,|$)/gi), ([, ns]) =>
      Number(ns),
    );
    for (const [i, exact] of [tuned / tensor, naive / tensor, tuned / array, naive / array].entries()) {
      expect(Math.abs(ratios[i] / exact - 1)).toBeLessThan(0.07);
    }
    const widths = await page
      .locator("#bench-figure [data-part=bar] rect")
      .evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute("width"))));
    expect(widths[0] / widths[2]).toBeCloseTo(tensor / tuned, 1);
    expect(await page.locator("#bench-run").innerText()).toBe("Measure");
    expect(running("benchmark-worker")).toBe(0);
  });

  test("runs in two workers, and is cancelled at once", async () => {
    await page.click("#bench-run");
    await expect.poll(() => running("benchmark-worker")).toBe(2);
    await page.click("#bench-run");
    await expect.poll(() => text("bench-status")).toBe("Cancelled.");
    await expect.poll(() => running("benchmark-worker")).toBe(0);
    expect(await page.locator("#bench-progress").isHidden()).toBe(true);
  });

  test("has TensorFlow.js for who asks for it, from the site itself", async () => {
    const loaded: string[] = [];
    page.on("request", (request) => loaded.push(request.url()));
    await page.locator("#bench-tfjs").check();
    await page.locator("#bench-shape").selectOption("32×64");
    await page.getByLabel("inference").check();
    await page.click("#bench-run");
    await expect.poll(() => text("bench-status")).toMatch(/^Inference on 32×64.*[\d.]+ × tfjs/);
    expect(loaded.filter((url) => url.includes("tfjs")).length).toBeGreaterThan(0);
    for (const url of loaded) expect(url).toContain(site.address);
  });

  test("beside it: errors of training, small at any mean, where float32 is off", async () => {
    const rows = page.locator("#accuracy tr");
    expect(await rows.count()).toBe(3);
    const lowered = (text: string) =>
      text.replaceAll(/[⁻⁰-⁹¹²³]/g, (c) => "-0123456789"["⁻⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c)]);
    const number = (cell: string) => Number(lowered(cell.replace(" · 10", "e")));
    const errors = (await rows.locator("td").allInnerTexts()).map(number);
    for (const [mean, row] of [0, 1e4, 1e6].entries()) {
      const [simdnorm, twoPasses] = errors.slice(3 * mean, 3 * mean + 2);
      // The promise of training.
      expect(simdnorm).toBeLessThan(1e-6);
      expect(simdnorm).toBeGreaterThan(0);
      // A mean in float32 is off by at least half of what float32 resolves there, in 65,536 sums by more.
      if (row > 0) expect(twoPasses).toBeGreaterThan(row * 2 ** -24);
    }
  });
});

describe("the network", () => {
  test("learns: better than the best guess, and sooner with batch normalization", async () => {
    await page.click("#train-run");
    await expect.poll(() => text("train-status")).toMatch(/^Epoch 3 of 25/);
    // Curves grow while it learns.
    const figure = page.locator("#train-figure");
    expect(await figure.locator("[data-part=line] path").count()).toBe(2);
    await expect.poll(() => text("train-status")).toMatch(/instead of \d+ epochs/);
    const [, plain, normalized] = (await text("train-status")).match(
      /plain ([\d.]+) %.*normalization ([\d.]+) %/,
    )!;
    // Who always says the digit that is there most often knows this share of them.
    const table = readFileSync(new URL("../../examples/data/digits.csv", import.meta.url), "utf8");
    const labels = table
      .trim()
      .split("\n")
      .slice(1)
      .map((row) => row.split(",")[64]);
    const most = Math.max(
      ...Array.from("0123456789", (digit) => labels.filter((label) => label === digit).length),
    );
    const baseline = (100 * most) / labels.length;
    expect(Number(plain)).toBeGreaterThan(5 * baseline);
    expect(Number(normalized)).toBeGreaterThan(5 * baseline);
    const [, fast, slow] = (await text("train-status")).match(/after (\d+) instead of (\d+) epochs/)!;
    expect(Number(fast)).toBeLessThan(Number(slow));
    await expect.poll(() => page.locator("#train-run").innerText(), { timeout: 60_000 }).toBe("Train again");
    expect(await text("train-status")).toMatch(/^Epoch 25 of 25/);
  });

  /** Draws with the mouse: strokes of points, in parts of the pad. */
  async function draw(strokes: [number, number][][]): Promise<void> {
    await page.click("#draw-clear");
    const pad = page.locator("#draw-pad");
    await pad.scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await pad.boundingBox())!;
    for (const [first, ...rest] of strokes) {
      await page.mouse.move(x + first[0] * width, y + first[1] * height);
      await page.mouse.down();
      for (const [px, py] of rest) await page.mouse.move(x + px * width, y + py * height, { steps: 3 });
      await page.mouse.up();
    }
  }

  const circle = Array.from({ length: 25 }, (_, i): [number, number] => {
    const angle = (2 * Math.PI * i) / 24;
    return [0.5 + 0.22 * Math.sin(angle), 0.5 - 0.35 * Math.cos(angle)];
  });

  test.each<[string, [number, number][][]]>([
    ["0", [circle]],
    [
      "1",
      [
        [
          [0.4, 0.25],
          [0.52, 0.12],
          [0.52, 0.9],
        ],
      ],
    ],
    [
      "4",
      [
        [
          [0.55, 0.12],
          [0.28, 0.6],
          [0.75, 0.6],
        ],
        [
          [0.6, 0.35],
          [0.6, 0.9],
        ],
      ],
    ],
  ])("knows a drawn %s", async (digit, strokes) => {
    await draw(strokes);
    await expect.poll(() => text("draw-answer")).toMatch(new RegExp(`^This is a ${digit} `));
    expect(await page.locator("#draw-figure [data-part=bar] rect").count()).toBe(10);
  });

  test("sees what is drawn as it is drawn: not mirrored, not turned", async () => {
    // An L is another letter in any mirror.
    await draw([
      [
        [0.3, 0.2],
        [0.3, 0.8],
        [0.7, 0.8],
      ],
    ]);
    /** Opacities at points of a canvas, from 0 to 1 along both of its sides. */
    const inkAt = (id: string, points: [number, number][]) =>
      page.locator(`#${id}`).evaluate((canvas: HTMLCanvasElement, points) => {
        const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
        return points.map(([x, y]) => {
          const [column, row] = [Math.floor(x * canvas.width), Math.floor(y * canvas.height)];
          return data[4 * (row * canvas.width + column) + 3];
        });
      }, points);
    const there: [number, number][] = [0.3, 0.5, 0.7].map((y) => [0.3, y]);
    there.push([0.5, 0.8], [0.65, 0.8]);
    const mirrored: [number, number][] = [
      [0.7, 0.5],
      [0.5, 0.2],
      [0.65, 0.2],
    ];
    expect(await inkAt("draw-canvas", there)).toEqual(there.map(() => 255));
    expect(await inkAt("draw-canvas", mirrored)).toEqual(mirrored.map(() => 0));
    // In 8 × 8 the L is as high as 30 of 32 pixels and as wide as 22: columns 1 to 6, and its foot in rows 6 and 7.
    const small = (cells: [number, number][]) =>
      inkAt(
        "draw-pixels",
        cells.map(([column, row]) => [(column + 0.5) / 8, (row + 0.5) / 8]),
      );
    expect(
      (
        await small([
          [2, 1],
          [2, 4],
          [5, 6],
        ])
      ).every((ink) => ink > 127),
    ).toBe(true);
    expect(
      await small([
        [5, 1],
        [5, 3],
        [4, 4],
      ]),
    ).toEqual([0, 0, 0]);
  });

  test("knows one that is drawn with the keyboard", async () => {
    await page.click("#draw-clear");
    expect(await text("draw-answer")).toBe("");
    await page.focus("#draw-pad");
    await page.keyboard.press("Space");
    for (let i = 0; i < 10; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    await expect.poll(() => text("draw-answer")).toMatch(/^This is a 1 /);
  });
});

describe("the picture", () => {
  test("becomes planes by the formula, and every byte returns", async () => {
    expect(await text("picture-status")).toMatch(
      /^320 × 240 pixels to planes in .*; back again every byte returned\.$/,
    );
    const { kinds, off, worst } = await page.evaluate(() => {
      const [source, red, back] = ["source", "red", "back"].map((name) => {
        const canvas = document.querySelector<HTMLCanvasElement>(`#picture-${name}`)!;
        return canvas.getContext("2d")!.getImageData(0, 0, 320, 240).data;
      });
      let worst = 0;
      for (let i = 0; i < source.length; i += 4) {
        const y = (source[i] / 255 - 0.485) / 0.229;
        const gray = Math.min(255, Math.max(0, Math.trunc(127.5 * (1 + y / 2.6))));
        worst = Math.max(worst, Math.abs(red[i] - gray));
      }
      return { kinds: new Set(source).size, off: source.filter((byte, i) => byte !== back[i]).length, worst };
    });
    expect(kinds).toBeGreaterThan(100);
    expect(off).toBe(0);
    // A rounding of y may lie at the edge of a gray.
    expect(worst).toBeLessThanOrEqual(1);
  });

  test("is the visitor's, too", async () => {
    const sum = () =>
      page.locator("#picture-blue").evaluate((canvas: HTMLCanvasElement) =>
        canvas
          .getContext("2d")!
          .getImageData(0, 0, 320, 240)
          .data.reduce((total, byte) => total + byte, 0),
      );
    const before = await sum();
    const buffer = await page.locator("#draw-canvas").screenshot();
    const file = { name: "drawn.png", mimeType: "image/png", buffer };
    await page.locator("#picture-file").setInputFiles(file);
    await expect.poll(sum).not.toBe(before);
    expect(await text("picture-status")).toMatch(/every byte returned/);
    await page
      .locator("#picture-file")
      .setInputFiles({ ...file, name: "words.txt", buffer: Buffer.from("words") });
    await expect.poll(() => text("picture-status")).toBe("words.txt: not a picture that this browser reads.");
  });
});

describe("the camera", () => {
  /** A page whose browser has a camera: it shows a pattern that moves. */
  async function withCamera(...args: string[]) {
    const browser = await launch("--use-fake-device-for-media-stream", ...args);
    const visited = await visit(browser, site);
    await visited.page.locator("#picture-status:not(:empty)").waitFor();
    const { page } = visited;
    return {
      ...visited,
      browser,
      button: page.locator("#picture-camera"),
      status: page.locator("#picture-status"),
      /** A number that is another one for another picture. */
      picture: () =>
        page.locator("#picture-source").evaluate((canvas: HTMLCanvasElement) =>
          canvas
            .getContext("2d")!
            .getImageData(0, 0, 320, 240)
            .data.reduce((sum, byte, i) => (31 * sum + byte + i) % 2147483647, 0),
        ),
    };
  }

  test("is shown as planes as it moves, until it is stopped", async () => {
    const { browser, button, status, picture, complaints } = await withCamera(
      "--use-fake-ui-for-media-stream",
    );
    const painted = await picture();
    await button.click();
    await expect.poll(() => button.innerText()).toBe("Stop the camera");
    await expect.poll(picture).not.toBe(painted);
    const first = await picture();
    await expect.poll(picture).not.toBe(first);
    expect(await status.innerText()).toMatch(/every byte returned/);
    await button.click();
    expect(await button.innerText()).toBe("Use the camera");
    const last = await picture();
    // As long as some pictures of a camera take.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await picture()).toBe(last);
    expect(complaints).toEqual([]);
    await browser.close();
  });

  test("that is not allowed is said in a sentence, and may be asked for again", async () => {
    const { browser, page, button, status, picture, complaints } = await withCamera();
    await page.context().grantPermissions([]);
    const painted = await picture();
    await button.click();
    await expect.poll(() => status.innerText()).toBe("The camera was not allowed: choose a picture instead.");
    expect(await button.innerText()).toBe("Use the camera");
    expect(await button.isEnabled()).toBe(true);
    expect(await picture()).toBe(painted);
    expect(complaints).toEqual([]);
    await browser.close();
  });
});

test("nothing complains", () => {
  expect(complaints).toEqual([]);
});
