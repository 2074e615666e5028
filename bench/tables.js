// What pages say of results.json: the tables of docs/speed.md, and in the README how far they reach.

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

/** The least and the most that batch normalization gains over plain loops. */
export function ranges(results) {
  const of = (memory, large) => {
    const gains = results
      .filter((row) => row.memory === memory && row.place === "in place" && row.length >= LARGE === large)
      .filter(({ operation, shape }) => ["infer", "train"].includes(operation) && !isTokens(shape))
      .map((row) => row.tuned / row.nanoseconds);
    return `${digits(Math.min(...gains), 2)} to ${digits(Math.max(...gains), 2)} ×`;
  };
  return [
    "| batch normalization, times as fast as the best JavaScript loops | ordinary arrays | tensors |",
    "|---|---|---|",
    `| 65,536 values and more | ${of("staged", true)} | ${of("resident", true)} |`,
    `| 6 to 2,048 values | ${of("staged", false)} | ${of("resident", false)} |`,
  ].join("\n");
}

/** Where it was measured. */
const measured = (_, { machine, rounds }) =>
  `Measured on ${machine}: the fastest of ${rounds} interleaved rounds.`;

const pageOf = (path) => new URL(`../${path}`, import.meta.url);

/** What stands where. */
export const pages = [
  [pageOf("docs/speed.md"), "machine", measured],
  [pageOf("docs/speed.md"), "layers", layers],
  [pageOf("docs/speed.md"), "rows", rows],
  [pageOf("docs/speed.md"), "others", others],
  [pageOf("README.md"), "ranges", ranges],
];

/** Writes all of it. */
export function publish(measurement) {
  for (const [page, name, text] of pages) mark(page, name, text(measurement.results, measurement));
}
