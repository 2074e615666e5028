// A scaler fitted on some wines, saved, loaded, and used on others.

import { StandardScaler } from "simdnorm";
import { readTable } from "./table.js";

// 13 measurements a wine; the last column is its kind.
const table = readTable("wine.csv");
const names = table.names.slice(0, 13);
const wines = table.rows.map((row) => row.slice(0, 13));
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
        scaled: +y[0][j].toFixed(3),
        inverse: +back[0][j].toFixed(3),
      },
    ]),
  ),
);
