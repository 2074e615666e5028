// A raw RGBA image, as a decoder returns it, becomes the planes that a network takes, and comes back.

import { ImageScaler, Tensor } from "simdnorm";

// What sharp(file).ensureAlpha().raw().toBuffer() would give: here a picture of red, green and blue ramps.
const [width, height] = [640, 480];
const data = Buffer.alloc(4 * width * height, 255);
for (let i = 0; i < width * height; i++) {
  const [x, y] = [i % width, Math.floor(i / width)];
  data.set([(255 * x) / width, (255 * y) / height, (x + y) & 255], 4 * i);
}
const image = { data, width, height };

// What networks that were trained on ImageNet expect.
const scaler = new ImageScaler({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
const planes = new Tensor([1, 3, height, width]);
scaler.apply(image, { out: planes });

const back = { data: Buffer.alloc(data.length), width, height };
scaler.inverse(planes, { out: back });

const fitted = ImageScaler.fit([image]);
const start = performance.now();
for (let i = 0; i < 100; i++) scaler.apply(image, { out: planes });
const milliseconds = (performance.now() - start) / 100;

const rounded = (values) => Array.from(values, (v) => +v.toFixed(4));
console.log(`${width} × ${height} RGBA → [${planes.shape.join(", ")}] in ${milliseconds.toFixed(2)} ms`);
console.log(`back: ${back.data.equals(data) ? "the same bytes" : "other bytes"}`);
console.log(`its own mean ${rounded(fitted.mean).join(", ")}, std ${rounded(fitted.std).join(", ")}`);
