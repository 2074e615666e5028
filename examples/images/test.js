// The pages in Chromium, and the program in Node: what models read, and every value against the formula in float64.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { scaler } from "./line.js";
import { server } from "./serve.js";

const folder = mkdtempSync(join(tmpdir(), "simdnorm's images-"));
const file = (name) => join(folder, name);

const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);
let browser;
let page;
const errors = [];

before(async () => {
  await once(server.listen(0, "localhost"), "listening");
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  page = await browser.newPage({ baseURL: `http://localhost:${server.address().port}` });
  page.on("pageerror", (error) => errors.push(error));
});

after(async () => {
  await browser?.close();
  server.close();
  rmSync(folder, { recursive: true });
});

/** What a page has to say, once it matches. */
async function said(pattern) {
  const output = page.locator("output", { hasText: pattern });
  await output.waitFor({ timeout: 60_000 });
  assert.deepEqual(errors, []);
  return output.textContent();
}

/** The spacing of float32 at a value. */
const ulp = (value) => 2 ** (Math.floor(Math.log2(Math.abs(value))) - 23);

/** That values are the planes of such pixels: each within 1 ULP of the largest term of (v/255 − 0.5)/0.5, blue first. */
function assertPlanes(values, data, channels) {
  const count = data.length / channels;
  assert.equal(values.length, 3 * count);
  for (let i = 0; i < count; i++) {
    for (const [plane, byte] of [2, 1, 0].entries()) {
      const term = data[channels * i + byte] / 255 / 0.5;
      const exact = term - 1;
      const error = Math.abs(values[plane * count + i] - exact);
      assert.ok(error <= ulp(Math.max(1, term)), `pixel ${i}: ${values[plane * count + i]}, not ${exact}`);
    }
  }
}

describe("canvas.html", () => {
  for (const text of ["normalized in 0.1 ms", "2 planes, 1 pixel", "simdnorm"]) {
    test(`reads "${text}"`, async () => {
      await page.goto(`/canvas.html?text=${encodeURIComponent(text)}`);
      assert.equal(await said(/./), text);
      // For sharp.js.
      await page.locator("canvas").screenshot({ path: file(`${text}.png`) });
    });
  }

  test("every value of the canvas is right, by WebAssembly", async () => {
    const { backend, data, values } = await page.evaluate(async () => {
      const { backend } = await import("simdnorm");
      const { scaler } = await import("./line.js");
      const canvas = document.querySelector("canvas");
      const context = canvas.getContext("2d");
      // Every byte, and colours.
      const ramp = context.createLinearGradient(0, 0, canvas.width, canvas.height);
      for (const [i, colour] of ["black", "red", "lime", "blue", "white"].entries()) {
        ramp.addColorStop(i / 4, colour);
      }
      context.fillStyle = ramp;
      context.fillRect(0, 0, canvas.width, canvas.height);
      const image = context.getImageData(0, 0, canvas.width, canvas.height);
      return { backend: backend(), data: Array.from(image.data), values: Array.from(scaler.apply(image)) };
    });
    assert.equal(backend, "wasm");
    assert.equal(new Set(data).size, 256);
    assertPlanes(values, data, 4);
  });
});

describe("video.html", () => {
  test("a frame can be copied into linear memory, and is read there", async () => {
    await page.goto("/canvas.html");
    await said(/./);
    const { data, values } = await page.evaluate(async () => {
      const { Tensor } = await import("simdnorm");
      const { scaler } = await import("./line.js");
      const frame = new VideoFrame(document.querySelector("canvas"), { timestamp: 0 });
      const { codedWidth: width, codedHeight: height } = frame;
      const room = new Tensor([width * height]);
      const data = new Uint8Array(room.data.buffer, room.data.byteOffset, 4 * width * height);
      await frame.copyTo(data, { format: "RGBA" });
      frame.close();
      return { data: Array.from(data), values: Array.from(scaler.apply({ data, width, height })) };
    });
    assert.ok(new Set(data).size > 1);
    assertPlanes(values, data, 4);
  });

  const frame = async (pattern) => Number((await said(pattern)).match(/frame (\d+)/)[1]);
  const bytes = () =>
    page.evaluate(async () => {
      const { Tensor } = await import("simdnorm");
      const tensor = new Tensor([1]);
      const { byteLength } = tensor.data.buffer;
      tensor.dispose();
      return byteLength;
    });

  test("tells which way up the text is, frame after frame, and takes no memory for it", async () => {
    await page.goto("/video.html");
    let last = await frame(/upright/);
    const before = await bytes();
    for (const answer of [/upside down/, /upright/, /upside down/, /upright/]) {
      await page.locator("video").click();
      const next = await frame(answer);
      assert.ok(next > last);
      last = next;
    }
    await said(/frame \d{3,}/);
    assert.equal(await bytes(), before);
  });
});

describe("sharp.js", () => {
  const run = async (...args) => {
    const script = fileURLToPath(new URL("sharp.js", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...args]);
    return stdout.trimEnd().split("\n");
  };

  test("reads pictures of its own", async () => {
    const [first, second, images] = await run();
    assert.deepEqual([first, second], ["simdnorm", "mean 0.485"]);
    assert.match(images, /^2 images, mean (0\.\d{3}, ){3}std (0\.\d{3}(, )?){3}$/);
  });

  test("reads the canvas as PNG, with alpha, as gray, in 16 bits, and as JPEG", async () => {
    const canvas = file("simdnorm.png");
    await sharp(canvas).ensureAlpha().toFile(file("alpha.png"));
    await sharp(canvas).toColourspace("b-w").toFile(file("gray.png"));
    await sharp(canvas).toColourspace("rgb16").toFile(file("deep.png"));
    await sharp(canvas).jpeg({ quality: 90 }).toFile(file("canvas.jpg"));
    const names = ["alpha.png", "gray.png", "deep.png", "canvas.jpg", "normalized in 0.1 ms.png"];
    const texts = await run(canvas, ...names.map(file));
    assert.deepEqual(texts.slice(0, -1), [...new Array(5).fill("simdnorm"), "normalized in 0.1 ms"]);
  });

  for (const channels of [3, 4]) {
    test(`every value of a Buffer of ${channels} bytes a pixel is right`, async () => {
      const noise = { type: "gaussian", mean: 128, sigma: 80 };
      const { data, info } = await sharp({
        create: { width: 211, height: 97, channels, background: "red", noise },
      })
        .raw()
        .toBuffer({ resolveWithObject: true });
      assert.ok(Buffer.isBuffer(data));
      assert.equal(info.channels, channels);
      assert.ok(new Set(data).size > 200);
      assertPlanes(scaler.apply({ data, width: info.width, height: info.height }), data, channels);
    });
  }
});
