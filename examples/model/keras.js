// A Keras model: the MobileNetV2 that nsfwjs ships, with 52 batch norms. TensorFlow.js runs its convolutions.

import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel, model as modelOf } from "@tensorflow/tfjs-layers";
import { MobileNetV2Model } from "nsfwjs/models/mobilenet_v2";
import { BatchNorm, ImageScaler } from "simdnorm";
import { picture } from "./picture.js";

/** A convolution's weights: their name, their layout, and the products of one of its sums from their shape. */
const CONVOLUTIONS = {
  Conv2D: { kernel: "kernel", layout: "HWIO", products: ([h, w, inputs]) => h * w * inputs },
  DepthwiseConv2D: { kernel: "depthwise_kernel", layout: "HWIM", products: ([h, w]) => h * w },
};

/** The layer that the head of the network reads. */
const FEATURES = "average_pooling2d_1";

const layersOf = ({ topology }) => topology.model_config.config.layers;
const isNorm = ({ class_name }) => class_name === "BatchNormalization";

/** The model as the package holds it: a topology, and weights of 8 bits each, which become float32. */
async function read() {
  const [{ default: json }, ...bundles] = await Promise.all(
    [MobileNetV2Model.modelJson, ...MobileNetV2Model.weightBundles].map((load) => load()),
  );
  const bytes = Buffer.concat(bundles.map((bundle) => Buffer.from(bundle.default, "base64")));
  const specs = json.weightsManifest.flatMap(({ weights }) => weights);
  return { topology: json.modelTopology, weights: tf.io.decodeWeights(Uint8Array.from(bytes).buffer, specs) };
}

/** The same model without batch norms: each goes into the convolution before it, which gets a bias. */
function foldedInto({ topology, weights: trained }, norms) {
  const weights = { ...trained };
  const layers = [];
  /** Whose output stands for that of a layer that is gone. */
  const instead = new Map();
  for (const layer of structuredClone(layersOf({ topology }))) {
    for (const input of layer.inbound_nodes[0] ?? []) input[0] = instead.get(input[0]) ?? input[0];
    if (!isNorm(layer)) {
      layers.push(layer);
      continue;
    }
    const convolution = layers.find(({ name }) => name === layer.inbound_nodes[0][0][0]);
    const { kernel, layout } = CONVOLUTIONS[convolution.class_name];
    const [weight, bias] = [`${convolution.name}/${kernel}`, `${convolution.name}/bias`];
    const folded = norms
      .get(layer.name)
      .fold()
      .foldIntoConv({ weight: weights[weight].dataSync(), bias: weights[bias]?.dataSync() }, { layout });
    weights[weight] = tf.tensor(folded.weight, weights[weight].shape);
    weights[bias] = tf.tensor(folded.bias);
    convolution.config.use_bias = true;
    instead.set(layer.name, convolution.name);
    for (const part of ["gamma", "beta", "moving_mean", "moving_variance"])
      delete weights[`${layer.name}/${part}`];
  }
  const { model_config } = topology;
  const config = { ...model_config.config, layers };
  return { topology: { ...topology, model_config: { ...model_config, config } }, weights };
}

/** The model for TensorFlow.js, which also hands out the features. */
async function loaded({ topology, weights }) {
  const { data: weightData, specs: weightSpecs } = await tf.io.encodeWeights(weights);
  const model = await loadLayersModel(tf.io.fromMemory({ modelTopology: topology, weightSpecs, weightData }));
  const { inputs, outputs } = model;
  return modelOf({ inputs, outputs: [model.getLayer(FEATURES).output, ...outputs] });
}

export async function load() {
  await tf.setBackend("wasm");
  const trained = await read();
  const arrays = new Map(Object.entries(trained.weights).map(([name, tensor]) => [name, tensor.dataSync()]));
  const norms = new Map(
    layersOf(trained)
      .filter(isNorm)
      .map(({ name, config }) => [name, BatchNorm.fromKeras(arrays, config)]),
  );
  const whole = await loaded(trained);
  const folded = await loaded(foldedInto(trained, norms));

  const predict = (model, x) => tf.tidy(() => model.predict(tensorOf(x)).map((y) => y.dataSync()));

  /** Layer by layer; TensorFlow.js' batch norms are left out, and ours map in their place. */
  const unfolded = (x) =>
    tf.tidy(() => {
      let spent = 0;
      const values = new Map();
      for (const layer of whole.layers) {
        const inputs = layer.inboundNodes[0].inboundLayers.map(({ name }) => values.get(name));
        const norm = norms.get(layer.name);
        if (norm) {
          const y = inputs[0].dataSync();
          const started = performance.now();
          norm.infer(y, { out: y });
          spent += performance.now() - started;
          values.set(layer.name, tf.tensor(y, inputs[0].shape));
        } else {
          values.set(layer.name, inputs.length === 0 ? tensorOf(x) : layer.apply(inputs));
        }
      }
      const [features, answers] = [FEATURES, whole.layers.at(-1).name].map((name) =>
        values.get(name).dataSync(),
      );
      return { features, answers, spent };
    });

  const convolutions = layersOf(trained).filter(({ class_name }) => class_name in CONVOLUTIONS);
  return {
    title: "MobileNetV2, Keras",
    framework: "TensorFlow.js",
    norms,
    products: convolutions.map(({ name, class_name }) => {
      const { kernel, products } = CONVOLUTIONS[class_name];
      return products(trained.weights[`${name}/${kernel}`].shape);
    }),
    /** 4 × 4 digits. */
    input: (first, turned) => scaler.apply(picture({ rows: 4, columns: 4, size: 56, first, turned })),
    whole: async (x) => named(predict(whole, x)),
    unfolded: async (x) => unfolded(x),
    folded: async (x) => named(predict(folded, x)),
  };
}

const scaler = new ImageScaler({ layout: "NHWC" });
const tensorOf = (x) => tf.tensor(x, [1, 224, 224, 3]);
const named = ([features, answers]) => ({ features, answers });
