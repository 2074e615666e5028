// Lines of text as the models of PP-OCR take them, and what they answer. The same file in Node and in browsers.

import * as ort from "onnxruntime-web";
import { ImageScaler } from "simdnorm";

/** Rows that both models want; one reads any width, the other wants that of a short line. */
export const HEIGHT = 48;
export const WIDTH = 192;

/** What the models were trained on: pixels from −1 to 1, blue first, as OpenCV reads them. */
export const scaler = new ImageScaler({ mean: 0.5, std: 0.5, channels: "BGR" });

/** Threads and a worker of its own would need a page that is cross-origin isolated. */
ort.env.wasm.numThreads = 1;

/**
 * A model's answer to values [N, 3, H, W].
 *
 * @param {ort.InferenceSession} session
 * @param {Float32Array} values
 * @param {readonly number[]} shape
 */
export async function ask(session, values, shape) {
  const input = new ort.Tensor("float32", values, shape);
  const outputs = await session.run({ [session.inputNames[0]]: input });
  return outputs[session.outputNames[0]];
}

/**
 * The texts of N lines. Of every step the likeliest character counts, the same one twice in a row once; the first of
 * all is none, and the last, which the list lacks, a space.
 *
 * @param {ort.Tensor} answer [N, steps, characters]
 * @param {string} list a character in each line
 */
export function textsOf({ data, dims: [lines, steps, count] }, list) {
  const characters = ["", ...list.trimEnd().split(/\r?\n/), " "];
  return Array.from({ length: lines }, (_, n) => {
    let text = "";
    let last = 0;
    for (let step = n * steps; step < (n + 1) * steps; step++) {
      const chances = data.subarray(step * count, (step + 1) * count);
      const likeliest = chances.indexOf(Math.max(...chances));
      if (likeliest !== last) text += characters[likeliest];
      last = likeliest;
    }
    return text.trim();
  });
}
