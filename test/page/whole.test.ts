// The page as a whole: for everyone, on a phone, by the keyboard, without a network, without WebAssembly, and without
// making anyone wait.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContextOptions, Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Site, serve, visit } from "./site.js";

/** What Chromium's tracing says of a task, or of a thread: durations in microseconds. */
interface TraceEvent {
  pid: number;
  tid: number;
  dur?: number;
  /** What a processor worked. */
  tdur?: number;
  args?: { name?: string };
}

let browser: Browser;
let site: Site;

beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), serve()]);
});

afterAll(async () => {
  await browser?.close();
  site?.close();
});

/** The page, once all that it opens with is drawn. */
async function opened(options?: BrowserContextOptions, from = site) {
  const visited = await visit(browser, from, options);
  await ready(visited.page);
  return visited;
}

async function ready(page: Page): Promise<void> {
  await page.locator("#hero-figure.normalized").waitFor();
  for (const method of ["before", "batch", "standard", "range"]) {
    await page.locator(`#see-${method} svg`).waitFor();
  }
  await page.locator("#picture-status:not(:empty)").waitFor();
}

/** The looks that are tested, and kept as pictures: node_modules/.bin/vitest with SCREENSHOTS=1 writes them. */
const looks: Record<string, BrowserContextOptions> = {
  light: { viewport: { width: 1280, height: 900 } },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 740 } },
};

test.each(Object.entries(looks))("nothing is out of reach of anyone: %s", async (name, options) => {
  const { page, complaints } = await opened({ ...options, reducedMotion: "reduce" });
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  expect(complaints).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBe(0);
  if (process.env.SCREENSHOTS) {
    const folder = fileURLToPath(new URL("../../docs/images/", import.meta.url));
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: `${folder}page-${name}.png` });
  }
  await page.context().close();
});

test("works with the keyboard alone", async () => {
  const { page } = await opened();
  const focused = () =>
    page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent);

  // The first thing is the way past all links.
  await page.keyboard.press("Tab");
  expect(await focused()).toBe("To the content");
  await page.keyboard.press("Enter");
  expect(new URL(page.url()).hash).toBe("#see");

  const order: (string | null | undefined)[] = [];
  for (let i = 0; i < 7; i++) {
    await page.keyboard.press("Tab");
    order.push(await focused());
  }
  expect(order).toEqual(expect.arrayContaining(["see-file", "gamma", "beta", "epsilon", "see-method"]));

  await page.focus("#gamma");
  await page.keyboard.press("End");
  expect(await page.locator("#gamma-value").innerText()).toBe("3.00");
  await page.locator('input[value="wine"]').focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => page.locator("#see-status").innerText()).toMatch(/^1,797 rows/);
  await page.context().close();
});

test("says that JavaScript kernels run where the policy forbids WebAssembly, and shows the same", async () => {
  const strict = await serve({ wasm: false });
  const [forbidden, allowed] = await Promise.all([opened({}, strict), opened({})]);
  expect(await forbidden.page.locator("#backend").innerText()).toBe("JavaScript kernels");
  expect(await allowed.page.locator("#backend").innerText()).toBe("WebAssembly SIMD kernels");
  const widths = (page: Page) =>
    page
      .locator("#see-batch [data-part=line] path")
      .evaluateAll((paths) => paths.map((path) => (path as SVGPathElement).getBBox().width));
  const [without, with_] = await Promise.all([widths(forbidden.page), widths(allowed.page)]);
  expect(without).toHaveLength(13);
  for (const [j, width] of without.entries()) expect(width).toBeCloseTo(with_[j], 1);
  // Chromium says that it refused to compile: that is the test of the policy, too.
  expect(forbidden.complaints.filter((text) => !/wasm|WebAssembly/i.test(text))).toEqual([]);
  await forbidden.page.context().close();
  await allowed.page.context().close();
  strict.close();
});

test("works without a network once it was loaded", async () => {
  const gone = await serve();
  const { page } = await opened({}, gone);
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller?.state)).toBe("activated");
  gone.close();
  await page.reload();
  await ready(page);
  await page.getByLabel("digits").check();
  await expect.poll(() => page.locator("#see-status").innerText()).toMatch(/^1,797 rows × 64 columns/);
  await page.context().close();
});

test("draws one figure in a task, so that no other waits for all of them", async () => {
  const { page } = await opened();
  await page.evaluate(() => {
    const counts = { most: 0, all: 0 };
    let now = 0;
    new MutationObserver((changes) => {
      const figures = changes.filter(({ target }) => (target as Element).classList.contains("figure"));
      now += figures.length;
      counts.all += figures.length;
      counts.most = Math.max(counts.most, now);
      // Timers of one task come in their order: before that of a figure that waits for this one.
      setTimeout(() => {
        now = 0;
      });
    }).observe(document.body, { childList: true, subtree: true });
    Object.assign(window, { counts });
  });
  const counts = () =>
    page.evaluate(() => (window as unknown as { counts: { most: number; all: number } }).counts);
  // Narrower, all that are there are drawn again: the first one, four panels, and the curves.
  await page.setViewportSize({ width: 700, height: 900 });
  await expect.poll(async () => (await counts()).all).toBeGreaterThanOrEqual(6);
  expect((await counts()).most).toBe(1);
  await page.context().close();
});

test("works on workers: what takes long is not on the visitor's thread", async () => {
  const page = await (await browser.newContext()).newPage();
  const status = (id: string) => page.locator(`#${id}`).innerText();

  /** Says what held up the page's thread: figures, not limits, because this machine may be busy. */
  async function watched(name: string, act: () => Promise<void>): Promise<void> {
    await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
    await act();
    const { traceEvents }: { traceEvents: TraceEvent[] } = JSON.parse(String(await browser.stopTracing()));
    const threads = traceEvents.filter(({ args }) => args?.name === "CrRendererMain");
    const tasks = traceEvents.filter(
      (event) => event.dur && threads.some(({ pid, tid }) => pid === event.pid && tid === event.tid),
    );
    const longest = (of: (event: TraceEvent) => number | undefined) =>
      (Math.max(...tasks.map((event) => of(event) ?? 0)) / 1000).toFixed(0);
    console.log(
      `${name}: the longest task took ${longest(({ dur }) => dur)} ms, at most ${longest(({ tdur }) => tdur)} ms of them a processor's`,
    );
  }

  await watched("start", async () => {
    await page.goto(site.address);
    await ready(page);
  });
  await watched("a million rows", async () => {
    await page.getByLabel("a million rows").check();
    for (const id of ["model", "bench", "hero", "see"]) {
      await page.locator(`nav a[href="#${id}"], a.name[href="#${id}"]`).click();
    }
    await expect.poll(() => status("see-status")).toMatch(/^1,000,000 rows/);
    for (const gamma of [0.5, 1, 1.5, 2, 2.5, 3]) await page.locator("#gamma").fill(String(gamma));
    await expect.poll(() => status("see-status")).toMatch(/took/);
  });
  await watched("a network that learns, and a drawing", async () => {
    await page.click("#train-run");
    await expect.poll(() => status("train-status")).toMatch(/^Epoch 3 of/);
    await page.locator("#draw-pad").hover();
    await page.mouse.down();
    for (let i = 0; i < 20; i++) await page.mouse.move(600 + 4 * i, 400 + 5 * i);
    await page.mouse.up();
    await expect.poll(() => status("draw-answer")).toMatch(/^This is a/);
    await page.click("#train-run");
  });
  const workers = page.workers().map((worker) => new URL(worker.url()).pathname.split("/").at(-1));
  expect(workers).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^distributions-worker/),
      expect.stringMatching(/^training-worker/),
    ]),
  );
  await page.context().close();
});
