// Trained layers from elsewhere: each framework's names and conventions, converted to ours.

import { flag, numberIn, numbers, wrongKind, wrongValue } from "./argument.js";
import type { BatchNormOptions } from "./batch-norm.js";
import { checkAxis } from "./layout.js";

/** A tensor of a state dict: numbers, or an object that holds them as `data` (safetensors readers). */
export type Weights = ArrayLike<number> | { readonly data: ArrayLike<number> };

/** A layer as the constructor takes it, and what it has seen. */
export interface TrainedLayer {
  features: number;
  options: BatchNormOptions;
  batchesTracked: number;
}

export interface PyTorchOptions {
  /** What stands before the names, with or without the last dot: "layer1.0.bn1". Default: none. */
  prefix?: string;
  /** Not part of a state dict. Default: 1e-5. */
  epsilon?: number;
  /** Not part of a state dict; PyTorch's own meaning is ours. Default: 0.1. */
  momentum?: number | null;
  /** Default: 1. */
  axis?: number;
}

export interface KerasConfig {
  /** Default: −1. Older files hold it in a list. */
  axis?: number | readonly number[];
  /** Weight of the OLD value, the complement of ours. Default: 0.99. */
  momentum?: number;
  /** Default: 1e-3. */
  epsilon?: number;
  /** Whether there is a beta. Default: true. */
  center?: boolean;
  /** Whether there is a gamma. Default: true. */
  scale?: boolean;
}

export interface OnnxAttributes {
  /** Default: 1e-5. */
  epsilon?: number;
  /** Weight of the OLD value, the complement of ours. Default: 0.9. */
  momentum?: number;
}

/** `weight`, `bias` (both absent: affine=False), `running_mean`, `running_var`, `num_batches_tracked`. */
export function pyTorchLayer(stateDict: unknown, options: PyTorchOptions): TrainedLayer {
  const { prefix = "", epsilon, momentum, axis = 1 } = options;
  if (typeof prefix !== "string") throw wrongKind("prefix", "a string", prefix);
  const start = prefix === "" || prefix.endsWith(".") ? prefix : `${prefix}.`;
  const named = record("stateDict", stateDict);
  const find = (name: string) => named[start + name];
  const runningMean = list(`stateDict["${start}running_mean"]`, find("running_mean"));
  const tracked = find("num_batches_tracked");
  return {
    features: runningMean.length,
    options: {
      axis,
      epsilon,
      momentum,
      unbiased: true,
      gamma: optional(`stateDict["${start}weight"]`, find("weight")),
      beta: optional(`stateDict["${start}bias"]`, find("bias")),
      runningMean,
      runningVariance: list(`stateDict["${start}running_var"]`, find("running_var")),
    },
    batchesTracked: tracked === undefined ? 0 : count(`stateDict["${start}num_batches_tracked"]`, tracked),
  };
}

/** `[gamma, beta, moving_mean, moving_variance]` without what the config switches off, or the same by name. */
export function kerasLayer(weights: unknown, config: KerasConfig): TrainedLayer {
  const { axis = -1, momentum = 0.99, epsilon = 1e-3, center = true, scale = true } = config;
  const names = ["moving_mean", "moving_variance"];
  if (flag("center", center)) names.unshift("beta");
  if (flag("scale", scale)) names.unshift("gamma");
  const named = Array.isArray(weights) ? byPosition(weights, names) : byLastName(record("weights", weights));
  const runningMean = list("moving_mean", named.moving_mean);
  return {
    features: runningMean.length,
    options: {
      axis: checkAxis(Array.isArray(axis) && axis.length === 1 ? axis[0] : axis),
      epsilon,
      momentum: complement(momentum),
      unbiased: false,
      gamma: scale ? list("gamma", named.gamma) : null,
      beta: center ? list("beta", named.beta) : null,
      runningMean,
      runningVariance: list("moving_variance", named.moving_variance),
    },
    batchesTracked: 0,
  };
}

/** BatchNormalization's inputs after X, by position (with or without X) or by name. */
export function onnxLayer(inputs: unknown, attributes: OnnxAttributes): TrainedLayer {
  const { epsilon = 1e-5, momentum = 0.9 } = attributes;
  const names = ["scale", "B", "input_mean", "input_var"];
  const named = Array.isArray(inputs)
    ? byPosition(inputs.length === 5 ? inputs.slice(1) : inputs, names)
    : record("inputs", inputs);
  // Before version 14 of the operator the statistics were called mean and var.
  const runningMean = list("input_mean", named.input_mean ?? named.mean);
  return {
    features: runningMean.length,
    options: {
      axis: 1,
      epsilon,
      momentum: complement(momentum),
      unbiased: false,
      gamma: list("scale", named.scale),
      beta: list("B", named.B),
      runningMean,
      runningVariance: list("input_var", named.input_var ?? named.var),
    },
    batchesTracked: 0,
  };
}

/** A momentum that weighs the old value, as one that weighs the new. */
function complement(momentum: number): number {
  return 1 - numberIn("momentum", momentum, "a number from 0 to 1", (n) => n >= 0 && n <= 1);
}

function record(name: string, value: unknown): Record<string, unknown> {
  if (value === null || typeof value !== "object")
    throw wrongKind(name, "an object of arrays by name", value);
  return value instanceof Map ? Object.fromEntries(value) : { ...value };
}

function byPosition(items: unknown[], names: string[]): Record<string, unknown> {
  if (items.length !== names.length) {
    throw wrongValue("weights", `${names.length} arrays (${names.join(", ")})`, items.length);
  }
  return Object.fromEntries(names.map((name, i) => [name, items[i]]));
}

/** "model/batch_normalization/gamma:0" is gamma. */
function byLastName(named: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(named).map(([name, value]) => [name.replace(/:\d+$/, "").replace(/^.*[/.]/, ""), value]),
  );
}

function list(name: string, value: unknown): number[] {
  const held = value !== null && typeof value === "object" && "data" in value ? value.data : value;
  if (Array.isArray(held) || ArrayBuffer.isView(held)) return numbers(name, Array.from(Object.values(held)));
  throw wrongKind(name, "an array of numbers", value);
}

function optional(name: string, value: unknown): number[] | null {
  return value === undefined || value === null ? null : list(name, value);
}

/** A count is saved as a number, a 64-bit integer, or a tensor of one. */
function count(name: string, value: unknown): number {
  const expected = "a non-negative integer";
  const held = value !== null && typeof value === "object" && "data" in value ? value.data : value;
  const first = Array.isArray(held) || ArrayBuffer.isView(held) ? Object.values(held)[0] : held;
  const n = typeof first === "bigint" ? Number(first) : first;
  return numberIn(name, n, expected, (m) => Number.isSafeInteger(m) && m >= 0);
}
