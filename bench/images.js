// Images that are measured, and the library's calls on them: the same on both backends.

import { ImageScaler } from "simdnorm";

export const sizes = [
  [640, 480],
  [1920, 1080],
];

export const mean = [0.485, 0.456, 0.406];
export const std = [0.229, 0.224, 0.225];

/** Pixels of random bytes, the same in every process: 4 bytes each, or 3. */
export function image(width, height, bytes) {
  const data = new Uint8ClampedArray(bytes * width * height);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = state >>> 24;
  }
  return { data, width, height };
}

/** Calls on an image and values that live in arrays. */
export function arrayCalls(width, height) {
  const [rgba, rgb] = [image(width, height, 4), image(width, height, 3)];
  const values = new Float32Array(3 * width * height);
  const one = values.subarray(0, width * height);
  const back = image(width, height, 4);
  const planes = new ImageScaler({ mean, std });
  const columns = new ImageScaler({ mean, std, layout: "NHWC" });
  const reversed = new ImageScaler({ mean, std, channels: "BGR" });
  const gray = new ImageScaler({ channels: "gray" });
  return {
    "RGBA → NCHW": () => planes.apply(rgba, { out: values }),
    "RGBA → NHWC": () => columns.apply(rgba, { out: values }),
    "RGBA → BGR, NCHW": () => reversed.apply(rgba, { out: values }),
    "RGB → NCHW": () => planes.apply(rgb, { out: values }),
    "RGBA → gray": () => gray.apply(rgba, { out: one }),
    "NCHW → RGBA": () => planes.inverse(values, { out: back }),
    "NHWC → RGBA": () => columns.inverse(values, { out: back }),
    "fit of RGBA": () => ImageScaler.fit([rgba]),
  };
}
