// A canvas → the input of a session: what is drawn on it is read.

import { ask, HEIGHT, scaler, textsOf } from "./line.js";

/**
 * The text of a line on a canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {import("onnxruntime-web").InferenceSession} session
 * @param {string} list the characters that it knows
 */
export async function read(canvas, session, list) {
  const width = Math.round((HEIGHT * canvas.width) / canvas.height);
  // Resizing is the browser's part.
  const resized = await createImageBitmap(canvas, {
    resizeWidth: width,
    resizeHeight: HEIGHT,
    resizeQuality: "high",
  });
  const context = new OffscreenCanvas(width, HEIGHT).getContext("2d", { willReadFrequently: true });
  context.drawImage(resized, 0, 0);
  resized.close();
  const values = scaler.apply(context.getImageData(0, 0, width, HEIGHT));
  const [text] = textsOf(await ask(session, values, [1, 3, HEIGHT, width]), list);
  return text;
}
