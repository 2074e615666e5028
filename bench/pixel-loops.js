// The JavaScript half of pixels.js, a process for each size: the loops that one would write, over arrays that V8 knows
// from the first to the last call, and the library's own loops. V8 compiles constants into a loop whose arrays never
// change: the lookup takes 1.3 ns a pixel here, and 4.1 where the same loop gets its arrays as arguments.

import { init } from "simdnorm";
import { Contender } from "./contender.js";
import { arrayCalls, image, mean, std } from "./images.js";

const [width, height] = process.argv.slice(2).map(Number);
const pixels = width * height;
const { data } = image(width, height, 4);
const words = new Uint32Array(data.buffer);
const y = new Float32Array(3 * pixels);
const back = new Uint8ClampedArray(4 * pixels);
const [red, green, blue] = mean.map((m, c) =>
  Float32Array.from({ length: 256 }, (_, v) => (v / 255 - m) / std[c]),
);
const [scaleR, scaleG, scaleB] = std.map((s) => 255 * s);
const [shiftR, shiftG, shiftB] = mean.map((m) => 255 * m);

const loops = {
  usual() {
    for (let i = 0; i < pixels; i++) {
      y[i] = (data[4 * i] / 255 - mean[0]) / std[0];
      y[pixels + i] = (data[4 * i + 1] / 255 - mean[1]) / std[1];
      y[2 * pixels + i] = (data[4 * i + 2] / 255 - mean[2]) / std[2];
    }
  },
  best() {
    for (let i = 0; i < pixels; i++) {
      const word = words[i];
      y[i] = red[word & 255];
      y[pixels + i] = green[(word >> 8) & 255];
      y[2 * pixels + i] = blue[(word >> 16) & 255];
    }
  },
  "usual back"() {
    for (let i = 0; i < pixels; i++) {
      back[4 * i] = (y[i] * std[0] + mean[0]) * 255;
      back[4 * i + 1] = (y[pixels + i] * std[1] + mean[1]) * 255;
      back[4 * i + 2] = (y[2 * pixels + i] * std[2] + mean[2]) * 255;
      back[4 * i + 3] = 255;
    }
  },
  "best back"() {
    for (let i = 0, k = 0; i < pixels; i++, k += 4) {
      back[k] = y[i] * scaleR + shiftR;
      back[k + 1] = y[pixels + i] * scaleG + shiftG;
      back[k + 2] = y[2 * pixels + i] * scaleB + shiftB;
      back[k + 3] = 255;
    }
  },
};

init({ backend: "javascript" });
const contenders = Object.entries({ ...loops, ...arrayCalls(width, height) }).map(([name, call]) => ({
  name,
  contender: new Contender(call),
}));

process.on("message", () => {
  for (const { contender } of contenders) contender.round();
  process.send(Object.fromEntries(contenders.map(({ name, contender }) => [name, contender.best])));
});
