// Frames of a video in a loop, with one tensor for all of them: is the line of text in it upside down?

import { Tensor } from "simdnorm";
import { ask, HEIGHT, scaler, WIDTH } from "./line.js";

/**
 * The chance that a frame is upside down, frame after frame; a frame that comes while a model is at work is left out.
 *
 * @param {HTMLVideoElement} video
 * @param {import("onnxruntime-web").InferenceSession} session
 * @yields {number}
 */
export async function* upsideDown(video, session) {
  // It lives in memory, where a processor has to read it.
  const context = new OffscreenCanvas(WIDTH, HEIGHT).getContext("2d", { willReadFrequently: true });
  const out = new Tensor([1, 3, HEIGHT, WIDTH]);
  try {
    while (true) {
      await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
      context.drawImage(video, 0, 0, WIDTH, HEIGHT); // and resizes
      scaler.apply(context.getImageData(0, 0, WIDTH, HEIGHT), { out });
      // `data` is read anew each time: it is a view of where the values are now.
      const { data } = await ask(session, out.data, out.shape);
      yield data[1];
    }
  } finally {
    out.dispose();
  }
}
