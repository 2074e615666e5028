// npm run bench -- pixel-peers: an image to a model's input in the packages that one would use, next to simdnorm. All
// in one process: nothing here makes a tensor, and no WebAssembly memory grows.

import { ImageProcessor, RawImage } from "@huggingface/transformers";
import { Tensor } from "onnxruntime-common";
import { ImageScaler } from "../../build/index.js";
import { image, mean, std } from "../images.js";
import { Awaited } from "./awaited.js";

const ROUNDS = 10;
const [width, height] = [640, 480];
const pixels = width * height;
const given = image(width, height, 4);
const { data } = given;

// Node has none; the packages look for it.
globalThis.ImageData ??= class ImageData {};
const imageData = Object.setPrototypeOf({ ...given }, ImageData.prototype);

const processor = new ImageProcessor({
  do_resize: false,
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: mean,
  image_std: std,
});
const raw = new RawImage(data, width, height, 4);

/** As in onnxruntime.ai/docs/tutorials/web/classify-images-nextjs-github-template.html, with mean and std behind it. */
function tutorial() {
  const [red, green, blue] = [[], [], []];
  for (let i = 0; i < data.length; i += 4) {
    red.push(data[i]);
    green.push(data[i + 1]);
    blue.push(data[i + 2]);
  }
  const transposed = red.concat(green).concat(blue);
  const values = new Float32Array(3 * pixels);
  for (let i = 0; i < transposed.length; i++) values[i] = transposed[i] / 255;
  for (let i = 0; i < values.length; i++) {
    const c = Math.floor(i / pixels);
    values[i] = (values[i] - mean[c]) / std[c];
  }
  return values;
}

const scaler = new ImageScaler({ mean, std });
const out = new Float32Array(3 * pixels);
const bare = { mean: [0, 0, 0], std: [1, 1, 1] };
const rows = [
  { name: "simdnorm, out", map: { mean, std }, call: () => scaler.apply(given, { out }) },
  { name: "simdnorm, a new array", map: { mean, std }, call: () => scaler.apply(given) },
  {
    name: "transformers.js ImageProcessor",
    map: { mean, std },
    call: async () => (await processor(raw)).pixel_values.data,
  },
  // Mean and std are options, and with options it wants a canvas. Its loop is the same for any.
  {
    name: "onnxruntime Tensor.fromImage, v/255",
    map: bare,
    call: async () => (await Tensor.fromImage(imageData)).data,
  },
  { name: "onnxruntime-web's tutorial", map: { mean, std }, call: tutorial },
].map((row) => ({ ...row, contender: new Awaited(row.call), error: 0 }));

for (const row of rows) {
  const values = await row.call();
  for (let i = 0; i < values.length; i++) {
    const c = Math.floor(i / pixels);
    const exact = (data[4 * (i % pixels) + c] / 255 - row.map.mean[c]) / row.map.std[c];
    row.error = Math.max(row.error, Math.abs(values[i] - exact));
  }
}
for (let round = 0; round < ROUNDS; round++) for (const { contender } of rows) await contender.round();

console.log(`\n${width} × ${height} RGBA → [1, 3, ${height}, ${width}], the fastest of ${ROUNDS} rounds\n`);
console.log(`${"".padEnd(38)}  ns/pixel   × ours   worst error`);
for (const { name, contender, error } of rows) {
  const [time, ours] = [contender.best, rows[0].contender.best].map((seconds) => (1e9 * seconds) / pixels);
  const cells = [
    time.toFixed(2).padStart(10),
    (time / ours).toFixed(1).padStart(9),
    error.toExponential(1).padStart(14),
  ];
  console.log(name.padEnd(38) + cells.join(""));
}
