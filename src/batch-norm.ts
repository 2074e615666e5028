// Batch normalization: the layer, its parameters and its running statistics.

import { Affine } from "./affine.js";
import {
  checkOptions,
  flag,
  nonNegativeInteger,
  numberIn,
  perFeature,
  wrongKind,
  wrongValue,
} from "./argument.js";
import { NONE, type Norm, type Statistics } from "./backend.js";
import type { BatchNormJSON, BatchNormOptions } from "./batch-norm-types.js";
import {
  APPLY,
  type ApplyOptions,
  Call,
  type Like,
  type Out,
  type OutOption,
  type ShapeOption,
} from "./call.js";
import { fieldsOf, fromJson, listFromJson, listToJson, type Parsed } from "./json.js";
import { Layer, layerFromJson, NORM } from "./layer.js";
import { samples } from "./layout.js";
import { emptyStatistics } from "./moments.js";
import {
  type BackwardResult,
  checkInUse,
  checkNotOwn,
  noGradients,
  resultOf,
  variances,
  weighted,
} from "./parameters.js";
import { Prepared } from "./prepared.js";
import {
  type BackwardOptions,
  type BatchGradients,
  gradientsOf,
  statisticsOf,
  type TrainOptions,
} from "./synchronized.js";
import { type Data, isTensor } from "./tensor.js";
import {
  type KerasConfig,
  kerasLayer,
  type OnnxAttributes,
  onnxLayer,
  type PyTorchOptions,
  pyTorchLayer,
  pyTorchLayers,
  type StateDict,
  type TrainedLayer,
  type Weights,
} from "./trained.js";

const TRAIN = [...APPLY, "moments"];
const BACKWARD = ["out", "shape", "frozen", "gradients"];
const OPTIONS = [...NORM, "momentum", "unbiased", "runningMean", "runningVariance"];

/**
 * Batch normalization (Ioffe & Szegedy 2015): per feature
 *
 *     y = (x − mean) / √(variance + epsilon) · gamma + beta
 *
 *     const bn = new BatchNorm(2, { gamma: [0.5, 2], beta: [1, -1] });
 *     bn.train(Float32Array.of(2, 4,  3, 5,  4, 6));   // 3 samples × 2 features
 *     bn.infer(Float32Array.of(3, 5));
 */
export class BatchNorm extends Layer {
  readonly #momentum: number | null;
  readonly #unbiased: boolean;
  /** Of one value, so that m2 is the variance. */
  readonly #running: Statistics;
  readonly #kept = new Prepared(
    () => undefined,
    (backend) => backend.keep(this.features),
  );
  #batchesTracked = 0;
  // Two in turn: backward reads the latest batch's while the next one is reduced.
  #spare: Statistics;
  #trained: { batch: Statistics; activated: boolean } | undefined;

  /**
   * @param features how many, at most 2²⁸
   * @param options the feature axis (`axis`), the settings (`epsilon`, `momentum`, `unbiased`), and per feature `gamma`,
   *   `beta`, `runningMean` and `runningVariance`
   * @throws TypeError, RangeError if an argument is not valid
   */
  constructor(features: number, options: BatchNormOptions = {}) {
    super(features, options, OPTIONS);
    const { momentum = 0.1, unbiased = true, runningMean, runningVariance } = options;
    this.#momentum =
      momentum === null
        ? null
        : numberIn("momentum", momentum, "a number from 0 to 1, or null", (n) => n >= 0 && n <= 1);
    this.#unbiased = flag("unbiased", unbiased);
    this.#spare = emptyStatistics(features);
    this.#running = { ...emptyStatistics(features), count: 1 };
    this.#running.m2.fill(1);
    if (runningMean !== undefined) {
      this.#running.mean.set(perFeature("runningMean", runningMean, features));
    }
    if (runningVariance !== undefined) {
      this.#running.m2.set(variances("runningVariance", runningVariance, features));
    }
  }

  /** Weight of the new batch; null: cumulative average. */
  get momentum(): number | null {
    return this.#momentum;
  }

  /** Whether the running variance is fed the unbiased batch variance. */
  get unbiased(): boolean {
    return this.#unbiased;
  }

  /** The mean that `infer` uses, per feature. */
  get runningMean(): Float64Array<ArrayBuffer> {
    return this.#running.mean;
  }

  /** The variance that `infer` uses, per feature. */
  get runningVariance(): Float64Array<ArrayBuffer> {
    return this.#running.m2;
  }

  /** Successful calls of `train`. */
  get batchesTracked(): number {
    return this.#batchesTracked;
  }

  /**
   * Normalizes x by its own mean and biased variance per feature, and updates the running statistics. With `moments`
   * by those: of the whole batch, of which x is one replica's part (synchronized batch normalization).
   *
   * @param x float32 values, row-major: at least two per feature
   * @param options where the result goes (`out`), sizes of an array (`shape`), what follows the map (`residual`,
   *   `activation`), and statistics of the whole batch (`moments`)
   * @returns `out`, or a new array or tensor of x's shape
   * @throws TypeError, RangeError if an argument does not fit, or there are fewer than two values per feature;
   *   the running statistics then stay as they were
   */
  train<X extends Data>(x: X, options?: OutOption<Out<X>> & TrainOptions): Like<X>;
  train(x: Data, options: OutOption<Data> & TrainOptions = {}): Data {
    checkOptions(options, TRAIN);
    const { moments, out, shape, residual, activation } = options;
    // Before the values, because moments may have getters.
    const given = moments === undefined ? undefined : statisticsOf(moments, this.features);
    const call = new Call(x, { out, shape, residual, activation }, this.features, this.axis);
    const count = given?.count ?? samples(call.layout);
    if (count < 2) {
      throw new RangeError(
        `x: expected at least 2 values per feature to train on, got ${count} (one value has no variance; infer takes it)`,
      );
    }
    const norm = this.#parametersFor(call);
    const batch = given ?? this.#spare;
    const y = call.run((pass, layout, after) => {
      if (given === undefined) pass.moments(layout, batch);
      pass.apply(layout, { statistics: batch, norm }, after);
    });
    this.#track(batch);
    if (given === undefined) this.#spare = this.#trained?.batch ?? emptyStatistics(this.features);
    this.#trained = { batch, activated: call.after !== NONE };
    return y;
  }

  /**
   * The gradients of the latest `train(x)`. x is what `train` was given (keep it: after a training in
   * place it is gone), dy the gradient of the loss with respect to what `train` returned. With
   * s = 1/√(variance + epsilon), x̂ = (x − mean)·s and n values per feature (Ioffe & Szegedy 2015, §3):
   *
   *     dBeta = Σdy,   dGamma = Σdy·x̂,   dx = gamma·s·(dy − dBeta/n − x̂·dGamma/n)
   *
   * With `gradients`, the sums of `gradients(x, dy)` over all replicas, dx of this replica's part of the batch. With
   * `frozen: true` the gradients of `infer(x)`, whose statistics are constants: dx = gamma·s·dy.
   *
   * A residual's gradient is dy itself. After a training with an activation, which hides dy, it throws:
   * train without it and multiply by the activation's slope.
   *
   * @param x what `train` was given
   * @param dy the gradient of the loss with respect to what `train` returned: as long as x, of either kind
   * @param options where dx goes (`out`), sizes of an array (`shape`), and which gradients (`frozen`, `gradients`)
   * @returns dx in `out`, which may be dy or x, or in new memory of x's kind; dGamma and dBeta per
   *   feature, null where the layer has none
   * @throws TypeError, RangeError if there was no matching `train`, or an argument does not fit
   */
  backward<X extends Data>(
    x: X,
    dy: Data,
    options?: OutOption<Out<X>> & BackwardOptions,
  ): BackwardResult<Like<X>>;
  backward(x: Data, dy: Data, options: OutOption<Data> & BackwardOptions = {}): BackwardResult<Data> {
    checkOptions(options, BACKWARD);
    const { out, shape, frozen = false, gradients: given } = options;
    const fixed = flag("frozen", frozen);
    if (fixed && given !== undefined) {
      throw wrongKind("gradients", "none with frozen: true, whose dx is the same without", given);
    }
    // Before the values, because gradients may have getters.
    const summed = given === undefined ? undefined : gradientsOf(given, this.features);
    const call = new Call(x, { shape, out }, this.features, this.axis, "dy", dy);
    const norm = this.#parametersFor(call);
    const count = summed ? undefined : samples(call.layout);
    const statistics = fixed ? this.#running : this.#batchOf("backward", count);
    const gradients = summed ?? noGradients(this.features);
    const dx = call.run((pass, layout) => {
      if (summed === undefined) pass.gradients(layout, statistics, norm, gradients);
      const through = fixed ? noGradients(this.features) : weighted(gradients, norm.gamma);
      pass.slope(layout, statistics, norm, through);
    });
    return resultOf(dx, norm, gradients);
  }

  /**
   * What one replica adds to the gradients of gamma and beta after `train(x, { moments })`, in float64: Σdy·x̂ and Σdy
   * of its part. Summed over the replicas, they are what `backward` takes as `gradients`.
   *
   * @param x what `train` was given: this replica's part
   * @param dy the gradient of the loss with respect to what `train` returned: as long as x, of either kind
   * @param options sizes of an array (`shape`)
   * @throws TypeError, RangeError if there was no `train`, or an argument does not fit
   */
  gradients(x: Data, dy: Data, options: ShapeOption = {}): BatchGradients {
    checkOptions(options, ["shape"]);
    const call = new Call(x, { shape: options.shape }, this.features, this.axis, "dy", dy);
    const norm = this.parameters();
    const batch = this.#batchOf("gradients", undefined);
    const gradients = noGradients(this.features);
    call.reduce((pass, layout) => pass.gradients(layout, batch, norm, gradients));
    return gradients;
  }

  /** The statistics of the latest training, of so many values per feature. */
  #batchOf(method: "backward" | "gradients", count: number | undefined): Statistics {
    const trained = this.#trained;
    if (trained === undefined) {
      throw new TypeError(`${method}: expected a call of train(x) before it, got none`);
    }
    if (trained.activated) {
      throw new TypeError(
        `${method}: expected a train(x) without activation, got one with (apply it and its slope outside)`,
      );
    }
    if (count !== undefined && trained.batch.count !== count) {
      throw wrongValue("x", `the ${trained.batch.count} values per feature that train was given`, count);
    }
    return trained.batch;
  }

  /**
   * Normalizes x by the running statistics: y = (x − runningMean) / √(runningVariance + epsilon) · gamma + beta, then
   * plus `residual`, then the activation.
   *
   * @param x float32 values, row-major
   * @param options where the result goes (`out`), sizes of an array (`shape`), and what follows the map (`residual`,
   *   `activation`)
   * @returns `out`, or a new array or tensor of x's shape
   * @throws TypeError, RangeError if an argument does not fit
   */
  infer<X extends Data>(x: X, options?: OutOption<Out<X>> & ApplyOptions): Like<X>;
  infer(x: Data, options: OutOption<Data> & ApplyOptions = {}): Data {
    checkOptions(options, APPLY);
    const call = new Call(x, options, this.features, this.axis);
    const norm = this.#parametersFor(call);
    // Calls on arrays take no memory, so that it does not grow.
    const kept = isTensor(x) ? this.#kept.on(call.backend) : undefined;
    return call.map({ statistics: this.#running, norm, kept });
  }

  /** The map of `infer` as it is now: center = running mean, scale = gamma/√(running variance + epsilon), shift = beta. */
  fold(): Affine {
    const { gamma, beta, epsilon } = this.parameters();
    const { mean, m2: variance } = this.#running;
    return new Affine(this.features, {
      axis: this.axis,
      center: mean,
      scale: variance.map((v, j) => (gamma ? gamma[j] : 1) / Math.sqrt(v + epsilon)),
      ...(beta && { shift: beta }),
    });
  }

  /** The whole state, exact: for JSON, and for messages to workers, which carry no objects of classes. */
  override toJSON(): BatchNormJSON {
    const { momentum, unbiased, batchesTracked } = this;
    return {
      ...super.toJSON(),
      ...{ momentum, unbiased },
      runningMean: listToJson(this.#running.mean),
      runningVariance: listToJson(this.#running.m2),
      batchesTracked,
    };
  }

  /**
   * The layer that was saved.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<BatchNormJSON>): BatchNorm {
    const saved = fieldsOf("json", json);
    const norm = layerFromJson(saved);
    const values = (name: string) => listFromJson(name, saved[name], norm.features);
    return BatchNorm.#trainedLayer({
      ...norm,
      momentum: saved.momentum === null ? null : fromJson("momentum", saved.momentum),
      unbiased: flag("unbiased", saved.unbiased),
      runningMean: values("runningMean"),
      runningVariance: values("runningVariance"),
      batchesTracked: nonNegativeInteger("batchesTracked", saved.batchesTracked),
    });
  }

  /**
   * A layer of PyTorch's `nn.BatchNorm1d/2d/3d` or `SyncBatchNorm` from its state dict: `weight`, `bias`
   * (absent with affine=False), `running_mean`, `running_var`, `num_batches_tracked`. The feature axis is 1
   * by default, as it is there. Epsilon and momentum are not part of a state dict.
   *
   *     BatchNorm.fromPyTorch(stateDict, { prefix: "layer1.0.bn1" });
   *
   * @param stateDict an object or a Map of arrays, or of tensors that hold them as `data`: floating-point
   *   numbers, not the bytes of a file
   * @param options which layer (`prefix`), and what is not in the state dict (`epsilon`, `momentum`, `axis`)
   * @throws TypeError, RangeError if a name is missing or a length does not fit; a prefix that no batch norm
   *   has: which there are
   */
  static fromPyTorch(stateDict: StateDict, options: PyTorchOptions = {}): BatchNorm {
    checkOptions(options, ["prefix", "epsilon", "momentum", "axis"]);
    return BatchNorm.#trainedLayer(pyTorchLayer(stateDict, options));
  }

  /**
   * Every batch norm of a model, by its prefix: whatever has a `running_mean` in the state dict, in its order.
   * None: an empty Map. The options hold for all of them; see `fromPyTorch`.
   *
   *     const norms = BatchNorm.allFromPyTorch(stateDict);
   *     norms.get("layer1.0.bn1")?.infer(x, { shape });
   *
   * @param stateDict as for `fromPyTorch`
   * @param options what is not in the state dict (`epsilon`, `momentum`, `axis`), the same for all
   * @throws TypeError, RangeError if a name is missing or a length does not fit
   */
  static allFromPyTorch(
    stateDict: StateDict,
    options: Omit<PyTorchOptions, "prefix"> = {},
  ): Map<string, BatchNorm> {
    checkOptions(options, ["epsilon", "momentum", "axis"]);
    const layers = pyTorchLayers(stateDict, options);
    return new Map([...layers].map(([prefix, layer]) => [prefix, BatchNorm.#trainedLayer(layer)]));
  }

  /**
   * A layer of Keras' or TensorFlow.js' `BatchNormalization` from its weights, as `get_weights()` lists them
   * (gamma, beta, moving_mean, moving_variance, less what `scale` or `center` switch off) or by name, and its
   * config. Momentum is converted to the weight of the new batch; the running variance stays biased.
   *
   *     BatchNorm.fromKeras(layer.getWeights().map((w) => w.dataSync()), layer.getConfig());
   *
   * @param weights arrays, or tensors that hold them as `data`. By name ("bn1/gamma:0") they may be those of
   *   several layers, of which `name` says one
   * @param config what `get_config()` returns: `axis`, `momentum`, `epsilon`, `center`, `scale` and `name` are read
   * @throws TypeError, RangeError if an array is missing, a length does not fit, or several layers are meant
   */
  static fromKeras(weights: readonly Weights[] | StateDict, config: KerasConfig = {}): BatchNorm {
    return BatchNorm.#trainedLayer(kerasLayer(weights, config));
  }

  /**
   * ONNX BatchNormalization from its inputs after X (scale, B, input_mean, input_var; a list or by name) and
   * its attributes. The feature axis is 1. Momentum is converted to the weight of the new batch; the running
   * variance stays biased.
   *
   * @param inputs arrays, or tensors that hold them as `data`: in this order, with or without X, or by name
   * @param attributes the node's: `epsilon` and `momentum` are read
   * @throws TypeError, RangeError if an array is missing or a length does not fit
   */
  static fromOnnx(
    inputs: readonly (Weights | null | undefined)[] | StateDict,
    attributes: OnnxAttributes = {},
  ): BatchNorm {
    return BatchNorm.#trainedLayer(onnxLayer(inputs, attributes));
  }

  static #trainedLayer({ features, batchesTracked, ...options }: TrainedLayer): BatchNorm {
    const layer = new BatchNorm(features, options);
    layer.#batchesTracked = batchesTracked;
    return layer;
  }

  protected override parameters(): Norm {
    checkInUse("runningMean", this.runningMean, this.features);
    checkInUse("runningVariance", this.runningVariance, this.features);
    return super.parameters();
  }

  /** The parameters, for a call that does not write over the running statistics, whose memory two samples fill. */
  #parametersFor({ y, layout }: Call): Norm {
    const { runningMean, runningVariance } = this;
    if (samples(layout) <= 2) checkNotOwn("out", y, { runningMean, runningVariance });
    return this.parameters();
  }

  #track({ count, mean, m2 }: Statistics): void {
    this.#batchesTracked++;
    const weight = this.#momentum ?? 1 / this.#batchesTracked;
    const divisor = this.#unbiased ? count - 1 : count;
    const { mean: runningMean, m2: runningVariance } = this.#running;
    for (let j = 0; j < mean.length; j++) {
      runningMean[j] = (1 - weight) * runningMean[j] + weight * mean[j];
      runningVariance[j] = (1 - weight) * runningVariance[j] + (weight * m2[j]) / divisor;
    }
  }
}
