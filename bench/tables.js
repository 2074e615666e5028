// What pages say of results.json: the tables of docs/speed.md, what a tensor saves, and in the README how far they reach.

import { mark } from "../docs/marked.js";

/** Of a call, by operation and memory; undefined where it was not measured. */
function cell(results, shape, operation, memory, place = "in place") {
  const row = results.find(
    (row) =>
      row.shape === shape && row.operation === operation && row.memory === memory && row.place === place,
  );
  return (
    row && {
      nanoseconds: row.nanoseconds,
      gain: row.tuned / row.nanoseconds,
      probes: row.nanoseconds / row.probe,
    }
  );
}

const digits = (value, count) => (value < 10 ** (count - 1) ? value.toPrecision(count) : value.toFixed(0));
const time = ({ nanoseconds }) => digits(nanoseconds, 3);
const gain = ({ gain }) => digits(gain, 2);
const probes = ({ probes }) => digits(probes, 3);

const isTokens = (shape) => shape.startsWith("tokens ");
const shapesOf = (results) => [...new Set(results.map(({ shape }) => shape))];
const table = (rows) => rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** Training and inference, of tensors and of arrays. */
export function layers(results) {
  const rows = shapesOf(results)
    .filter((shape) => !isTokens(shape))
    .map((shape) => {
      const tensors = ["infer", "train"].map((operation) => cell(results, shape, operation, "resident"));
      const arrays = ["infer", "train"].map((operation) => cell(results, shape, operation, "staged"));
      return [
        shape,
        ...tensors.flatMap((of) => [time(of), gain(of), probes(of)]),
        ...arrays.flatMap((of) => [time(of), gain(of)]),
      ];
    });
  const head = [
    "shape",
    "infer, tensor",
    "",
    "",
    "train, tensor",
    "",
    "",
    "infer, array",
    "",
    "train, array",
    "",
  ];
  const units = [
    "",
    "ns/el",
    "× JS",
    "÷ probe",
    "ns/el",
    "× JS",
    "÷ probe",
    "ns/el",
    "× JS",
    "ns/el",
    "× JS",
  ];
  return table([head, head.map(() => "---"), units, ...rows]);
}

/** Norms of rows, of tensors. */
export function rows(results) {
  const head = ["rows × features", "LayerNorm", "÷ probe", "× JS", "RMSNorm", "÷ probe", "× JS"];
  const skips = ["with `skip` and `sum`: LayerNorm", "÷ probe", "RMSNorm", "÷ probe"];
  const cells = shapesOf(results)
    .filter(isTokens)
    .map((shape) => {
      const norms = ["layer", "rms"].map((operation) => cell(results, shape, operation, "resident"));
      const added = ["layer, skip", "rms, skip"].map((operation) =>
        cell(results, shape, operation, "resident"),
      );
      return [
        shape.replace("tokens ", "").replace("×", " × "),
        ...norms.flatMap((of) => [time(of), digits(of.probes, 2), gain(of)]),
        ...added.flatMap((of) => [time(of), digits(of.probes, 2)]),
      ];
    });
  return table([[...head, ...skips], [...head, ...skips].map(() => "---"), ...cells]);
}

const OTHERS = [
  ["group", "in place", "`GroupNorm.apply`"],
  ["instance", "in place", "`InstanceNorm.apply`"],
  ["standard", "in place", "`StandardScaler.fitTransform`"],
  ["min-max", "in place", "`MinMaxScaler.fitTransform`"],
  ["backward", "out", "`BatchNorm.backward`, out of place"],
  ["group backward", "out", "`GroupNorm.backward`, out of place"],
];
const FEW = ["32×64", "256×256", "4096×64", "NHWC 12544×64", "NCHW 8×64×56×56"];

/** Everything else, of tensors of some shapes. */
export function others(results) {
  const rows = OTHERS.map(([operation, place, name]) => [
    name,
    ...FEW.map((shape) => {
      const of = cell(results, shape, operation, "resident", place);
      return of ? `${time(of)} (${gain(of)} ×)` : "";
    }),
  ]);
  return table([["ns per element (× JS)", ...FEW], ["", ...FEW].map(() => "---"), ...rows]);
}

/** From how many values on a call is counted among the large ones. */
const LARGE = 65_536;

/** From how many on a tensor saves time in inference, too, and from how many on copies keep memory busy: 25 MB. */
const SMALL = 2048;
const HUGE = 6_250_000;

/** From the least to the most; one alone is itself. */
const range = (values) =>
  [...new Set([Math.min(...values), Math.max(...values)])].map((value) => digits(value, 2)).join(" to ");

/** Batch normalization of these shapes and in this memory. */
const rowsOf = (results, memory, place, operations, from, to = Number.POSITIVE_INFINITY) =>
  results
    .filter((row) => row.memory === memory && row.place === place && !isTokens(row.shape))
    .filter(({ operation, length }) => operations.includes(operation) && length >= from && length < to);

const gainOf = ({ tuned, nanoseconds }) => tuned / nanoseconds;

/** The time of a tensor over that of an array, in place. */
const sharesOf = (results, operation, from, to) =>
  rowsOf(results, "resident", "in place", [operation], from, to).map(
    ({ shape, nanoseconds }) => nanoseconds / cell(results, shape, operation, "staged").nanoseconds,
  );

/** The least and the most that batch normalization gains over plain loops. */
export function ranges(results) {
  const of = (memory, large) => {
    const sizes = large ? [LARGE] : [0, LARGE];
    const rows = rowsOf(results, memory, "in place", ["infer", "train"], ...sizes);
    return `${range(rows.map(gainOf))} ×`;
  };
  return [
    "| batch normalization, times as fast as the best JavaScript loops | ordinary arrays | tensors |",
    "|---|---|---|",
    `| 65,536 values and more | ${of("staged", true)} | ${of("resident", true)} |`,
    `| 6 to 2,048 values | ${of("staged", false)} | ${of("resident", false)} |`,
  ].join("\n");
}

/** What is left of the gain of inference on arrays, which are copied. */
export function copies(results) {
  const gains = (memory, place) => range(rowsOf(results, memory, place, ["infer"], HUGE).map(gainOf));
  const shares = sharesOf(results, "infer", LARGE, HUGE).map((share) => 1 / share);
  return (
    `**Where copies eat the gain.** Up to 25 MB, inference on an array of 65,536 values and more takes ${range(shares)} ` +
    `times as long as on a tensor. Beyond, memory is busy with the copies, and of ${gains("resident", "in place")} × JS ` +
    `${gains("staged", "in place")} × remain, into a second array ${gains("staged", "out")} ×.`
  );
}

/** What a tensor saves. */
export function savings(results) {
  const shares = (...sizes) =>
    ["infer", "train"].map((operation) => sharesOf(results, operation, ...sizes)).map(range);
  const [infer, train] = shares(SMALL);
  const [few, trained] = shares(0, SMALL);
  return (
    `In place and from 2,048 values on, inference on a tensor takes ${infer} of the time that it takes on an array, ` +
    `training ${train}; on 3 × 2 values ${few} and ${trained}.`
  );
}

/** Where it was measured. */
const measured = (_, { machine, rounds }) =>
  `Measured on ${machine}: the fastest of ${rounds} interleaved rounds.`;

const pageOf = (path) => new URL(`../${path}`, import.meta.url);

/** What stands where. */
export const pages = [
  [pageOf("docs/speed.md"), "machine", measured],
  [pageOf("docs/speed.md"), "layers", layers],
  [pageOf("docs/speed.md"), "copies", copies],
  [pageOf("docs/speed.md"), "rows", rows],
  [pageOf("docs/speed.md"), "others", others],
  [pageOf("docs/tensors.md"), "savings", savings],
  [pageOf("README.md"), "ranges", ranges],
];

/** Writes all of it. */
export function publish(measurement) {
  for (const [page, name, text] of pages) mark(page, name, text(measurement.results, measurement));
}
