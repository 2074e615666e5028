// A scaler fitted on some wines, saved, loaded, and used on others.

import { readFileSync } from "node:fs";
import { StandardScaler } from "simdnorm";

// 13 measurements a wine; the last column is its kind.
const [header, ...lines] = readFileSync(new URL("data/wine.csv", import.meta.url), "utf8")
  .trim()
  .split("\n");
const names = header.split(",").slice(0, 13);
const wines = lines.map((line) => line.split(",").slice(0, 13).map(Number));
const train = wines.slice(0, 120);
const test = wines.slice(120);

const scaler = new StandardScaler(13).fit(train);
const saved = JSON.stringify(scaler);

const loaded = StandardScaler.fromJSON(JSON.parse(saved));
const y = loaded.transform(test);
const back = loaded.inverseTransform(y);

console.log(
  `fitted on ${loaded.count} wines, saved in ${saved.length} characters; of ${test.length} others the first:`,
);
console.table(
  Object.fromEntries(
    names.map((name, j) => [
      name,
      {
        mean: +loaded.mean[j].toFixed(2),
        scale: +loaded.scale[j].toFixed(2),
        measured: test[0][j],
        scaled: +y[j].toFixed(3),
        inverse: +back[j].toFixed(3),
      },
    ]),
  ),
);
