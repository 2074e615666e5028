// Trained layers from elsewhere: each framework's names and conventions, converted to ours.

import {
  checkObject,
  flag,
  isList,
  nonNegativeInteger,
  numberIn,
  numbers,
  show,
  tagOf,
  wrongKind,
  wrongValue,
} from "./argument.js";
import { checkAxis } from "./layout.js";

/** Numbers, or an object that holds them as `data`: a tensor, as readers of safetensors files return it. */
export type Weights =
  | ArrayLike<number>
  | {
      /** The numbers, row-major. */
      readonly data: ArrayLike<number>;
    };

/** Arrays (`Weights`) by name, as PyTorch's `state_dict()` and safetensors files name them. */
export type StateDict = Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;

/** A batch norm as its constructor takes it, and what it has seen. */
export interface TrainedLayer {
  readonly features: number;
  readonly axis: number;
  readonly epsilon: number;
  readonly momentum: number | null;
  readonly unbiased: boolean;
  readonly gamma: number[] | null;
  readonly beta: number[] | null;
  readonly runningMean: number[];
  readonly runningVariance: number[];
  readonly batchesTracked: number;
}

/** Which layer of a state dict is meant, and what a state dict does not say of it. */
export interface PyTorchRowOptions {
  /** What stands before the names, with or without the last dot: "layer1.0.norm1". Default: none. */
  prefix?: string | undefined;
  /** Added inside the root. Default: what the layer's own is in PyTorch. */
  epsilon?: number | undefined;
}

/** The same, and the feature axis. */
export interface PyTorchNormOptions extends PyTorchRowOptions {
  /** The feature axis. Default: 1, as in PyTorch. */
  axis?: number | undefined;
}

/** The same of a batch norm. */
export interface PyTorchOptions extends PyTorchNormOptions {
  /** Weight of the NEW batch, as in PyTorch; null: cumulative average. Default: 0.1. */
  momentum?: number | null | undefined;
}

/** A layer's config: what `get_config()` returns, of which these are read. */
export interface KerasConfig {
  /** Which layer, where arrays by name are those of several. */
  name?: string | undefined;
  /** The feature axis; older files hold it in a list. Default: −1. */
  axis?: number | readonly number[] | undefined;
  /** Weight of the OLD value, the complement of ours. Default: 0.99. */
  momentum?: number | undefined;
  /** Added to the variance, inside the root. Default: 1e-3. */
  epsilon?: number | undefined;
  /** Whether there is a beta. Default: true. */
  center?: boolean | undefined;
  /** Whether there is a gamma. Default: true. */
  scale?: boolean | undefined;
}

/** Attributes of ONNX BatchNormalization. */
export interface OnnxAttributes {
  /** Added to the variance, inside the root. Default: 1e-5. */
  epsilon?: number | undefined;
  /** Weight of the OLD value, the complement of ours. Default: 0.9. */
  momentum?: number | undefined;
}

/** The argument's arrays by name. */
interface Named {
  readonly argument: string;
  readonly arrays: ReadonlyMap<string, unknown>;
}

/** One layer's arrays by their own names, "weight" and not "layer1.0.bn1.weight". */
interface Arrays {
  find(name: string): unknown;
  /** What an error calls it. */
  label(name: string): string;
}

/** The batch norm of this prefix: `weight`, `bias` (both absent: affine=False) and the running statistics. */
export function pyTorchLayer(stateDict: unknown, options: PyTorchOptions): TrainedLayer {
  const { prefix = "", ...rest } = options;
  const named = stateDictOf(stateDict);
  return pyTorchBatchNorm(pyTorchArrays(named, prefix, "running_mean"), rest);
}

/** Every batch norm of the state dict, by its prefix. */
export function pyTorchLayers(stateDict: unknown, options: PyTorchOptions): Map<string, TrainedLayer> {
  const named = stateDictOf(stateDict);
  const starts = startsOf(named, "running_mean");
  return new Map(starts.map((start) => [pathOf(start), pyTorchBatchNorm(arraysAt(named, start), options)]));
}

/** The arrays of the layer of this prefix, which has one called `last`. */
function pyTorchArrays(named: Named, prefix: unknown, last: string): Arrays {
  if (typeof prefix !== "string") throw wrongKind("prefix", "a string", prefix);
  const starts = someStartsOf(named, last);
  const meant = starts.filter((start) => start === prefix || pathOf(start) === prefix);
  return arraysAt(named, only(meant, starts, "prefix", prefix));
}

function pyTorchBatchNorm(arrays: Arrays, options: PyTorchOptions): TrainedLayer {
  const { epsilon = 1e-5, momentum = 0.1, axis = 1 } = options;
  const runningMean = floats(arrays, "running_mean");
  return {
    features: runningMean.length,
    axis,
    epsilon,
    momentum,
    unbiased: true,
    gamma: optional(arrays, "weight"),
    beta: optional(arrays, "bias"),
    runningMean,
    runningVariance: floats(arrays, "running_var"),
    batchesTracked: count(arrays, "num_batches_tracked"),
  };
}

/** A norm as its constructor takes it. */
interface PyTorchNorm {
  readonly features: number;
  readonly axis: number;
  readonly epsilon: number | undefined;
  readonly gamma: number[] | null;
  readonly beta: number[] | null;
}

/**
 * The norm of this prefix that has no running statistics: `weight` and `bias`.
 *
 * @throws TypeError if it has them: it is a batch norm, or an instance norm that tracks them
 */
export function pyTorchNorm(stateDict: unknown, options: PyTorchNormOptions): PyTorchNorm {
  const { prefix = "", epsilon, axis = 1 } = options;
  const { argument, arrays: all } = stateDictOf(stateDict);
  const tracked = trackedIn({ argument, arrays: all }, prefix);
  if (tracked !== undefined) {
    throw new TypeError(
      `${argument}["${tracked}"]: expected no running statistics, got some (write BatchNorm.fromPyTorch)`,
    );
  }
  // Arrays that say several axes are weights of convolutions and linear layers.
  const named = { argument, arrays: new Map([...all].filter(([, array]) => !hasAxes(array))) };
  return { axis, epsilon, ...affineOf(pyTorchArrays(named, prefix, "weight")) };
}

/** The instance norm of this prefix: with running statistics as a batch norm, without them as any norm. */
export function pyTorchInstances(
  stateDict: unknown,
  { prefix = "", epsilon, axis }: PyTorchNormOptions,
): PyTorchNorm & Partial<Pick<TrainedLayer, "runningMean" | "runningVariance">> {
  const read = { prefix, epsilon, axis };
  if (trackedIn(stateDictOf(stateDict), prefix) === undefined) return pyTorchNorm(stateDict, read);
  const { momentum, unbiased, batchesTracked, ...layer } = pyTorchLayer(stateDict, read);
  return layer;
}

/** The name of a layer's running mean, if it has one. */
function trackedIn({ arrays }: Named, prefix: string): string | undefined {
  return [`${prefix}.running_mean`, `${prefix}running_mean`].find((name) => arrays.has(name));
}

/** The norm of rows of this prefix: `weight`, of any number of axes, and perhaps `bias`. */
export function pyTorchRows(stateDict: unknown, { prefix = "", epsilon }: PyTorchRowOptions) {
  const { find, label } = pyTorchArrays(stateDictOf(stateDict), prefix, "weight");
  return { epsilon, ...affineOf({ find: (name) => flat(find(name)), label }) };
}

/** Several axes as JSON has them, lists in lists of the same lengths, as one; what is something else as it was. */
function flat(array: unknown, axes = 8): unknown {
  if (
    !isNestedList(array) ||
    axes === 0 ||
    !array.every((list) => isNestedList(list) === isNestedList(array[0]))
  ) {
    return array;
  }
  const lists = Array.from(array, (list) => flat(list, axes - 1));
  if (!lists.every(isList) || lists.some((list) => list.length !== lists[0].length)) return array;
  // Not flat(), which leaves holes out.
  return lists.flatMap((list) => Array.from(list));
}

function isNestedList(array: unknown): array is unknown[] {
  return Array.isArray(array) && Array.isArray(array[0]);
}

function affineOf(arrays: Arrays) {
  const gamma = floats(arrays, "weight");
  return { features: gamma.length, gamma, beta: optional(arrays, "bias") };
}

function hasAxes(array: unknown): boolean {
  const { data, shape } = heldBy(array);
  return (isList(shape) && shape.length > 1) || isNestedList(data);
}

/** `[gamma, beta, moving_mean, moving_variance]` without what the config switches off, or the same by name. */
export function kerasLayer(weights: unknown, config: KerasConfig): TrainedLayer {
  checkObject("config", config);
  const { name, axis = -1, momentum = 0.99, epsilon = 1e-3, center = true, scale = true } = config;
  const names = ["moving_mean", "moving_variance"];
  if (flag("center", center)) names.unshift("beta");
  if (flag("scale", scale)) names.unshift("gamma");
  const arrays = Array.isArray(weights) ? inOrder("weights", weights, names) : kerasArrays(weights, name);
  const runningMean = floats(arrays, "moving_mean");
  return {
    features: runningMean.length,
    axis: checkAxis(Array.isArray(axis) && axis.length === 1 ? axis[0] : axis),
    epsilon,
    momentum: complement(momentum),
    unbiased: false,
    gamma: scale ? floats(arrays, "gamma") : null,
    beta: center ? floats(arrays, "beta") : null,
    runningMean,
    runningVariance: floats(arrays, "moving_variance"),
    batchesTracked: 0,
  };
}

/** The arrays of the only layer, or of the one called `name`: of "bn1" or "model/bn1" is "model/bn1/gamma:0". */
function kerasArrays(weights: unknown, name: unknown): Arrays {
  if (name !== undefined && typeof name !== "string") throw wrongKind("name", "a string", name);
  const named = byName("weights", weights, "the list of get_weights(), or arrays by name");
  const starts = someStartsOf(named, "moving_mean");
  return arraysAt(named, only(name === undefined ? starts : called(name, starts), starts, "name", name));
}

/** The layers of this name or path. One without a path may have any name. */
function called(name: string, starts: readonly string[]): string[] {
  const whole = starts.filter((start) => start === "" || pathOf(start) === name);
  return whole.length > 0 ? whole : starts.filter((start) => pathOf(start).endsWith(`/${name}`));
}

/** BatchNormalization's inputs after X, in order (with or without X) or by name. */
export function onnxLayer(inputs: unknown, attributes: OnnxAttributes): TrainedLayer {
  checkObject("attributes", attributes);
  const { epsilon = 1e-5, momentum = 0.9 } = attributes;
  const names = ["scale", "B", "input_mean", "input_var"];
  const arrays = Array.isArray(inputs)
    ? inOrder("inputs", inputs.length === 5 ? inputs.slice(1) : inputs, names)
    : onnxArrays(inputs);
  const runningMean = floats(arrays, "input_mean");
  return {
    features: runningMean.length,
    axis: 1,
    epsilon,
    momentum: complement(momentum),
    unbiased: false,
    gamma: floats(arrays, "scale"),
    beta: floats(arrays, "B"),
    runningMean,
    runningVariance: floats(arrays, "input_var"),
    batchesTracked: 0,
  };
}

/** Before version 14 of the operator the statistics were called mean and var. */
function onnxArrays(inputs: unknown): Arrays {
  const { find, label } = arraysAt(
    byName("inputs", inputs, "the list of inputs after X, or arrays by name"),
    "",
  );
  return { find: (name) => find(name) ?? find(name.replace("input_", "")), label };
}

/** A momentum that weighs the old value, as one that weighs the new. */
function complement(momentum: number): number {
  return 1 - numberIn("momentum", momentum, "a number from 0 to 1", (n) => n >= 0 && n <= 1);
}

/** Arrays in the order of these names. */
function inOrder(argument: string, arrays: readonly unknown[], names: readonly string[]): Arrays {
  if (arrays.length !== names.length) {
    throw wrongValue(argument, `${names.length} arrays (${names.join(", ")})`, arrays.length);
  }
  return { find: (name) => arrays[names.indexOf(name)], label: (name) => name };
}

function stateDictOf(value: unknown): Named {
  return byName("stateDict", value, "an object or a Map of arrays by name");
}

/** A copy of what is given by name, without the ":0" that TensorFlow's names end with. */
function byName(argument: string, value: unknown, expected: string): Named {
  if (value === null || typeof value !== "object" || isList(value)) {
    throw wrongKind(argument, expected, value);
  }
  const entries: [string, unknown][] = value instanceof Map ? [...value] : Object.entries(value);
  return {
    argument,
    arrays: new Map(entries.map(([name, array]) => [`${name}`.replace(/:\d+$/, ""), array])),
  };
}

/** What stands before `last` in the names that end with it, "layer1.0.bn1.": the layers that have one. */
function startsOf({ arrays }: Named, last: string): string[] {
  const end = new RegExp(`(?:^|[./])${last}$`);
  return [...arrays.keys()].filter((name) => end.test(name)).map((name) => name.slice(0, -last.length));
}

function someStartsOf(named: Named, last: string): string[] {
  const starts = startsOf(named, last);
  if (starts.length > 0) return starts;
  throw new TypeError(`${named.argument}: expected a name that ends in "${last}", got none`);
}

/** A start without its last dot or slash. */
function pathOf(start: string): string {
  return start.slice(0, -1);
}

/** The layer that is meant; if that is not one, an error says which there are. */
function only(meant: readonly string[], starts: readonly string[], option: string, got: unknown): string {
  if (meant.length === 1) return meant[0];
  const expected = `one of ${starts.map((start) => show(pathOf(start))).join(", ")}`;
  throw got === undefined ? wrongKind(option, expected, got) : wrongValue(option, expected, show(got));
}

/** The arrays of the layer whose names start so. */
function arraysAt({ argument, arrays }: Named, start: string): Arrays {
  return {
    find: (name) => arrays.get(start + name),
    label: (name) => `${argument}["${start}${name}"]`,
  };
}

/** What is often given in place of numbers, by kind, and what to do about it. */
const INSTEAD = new Map([
  // A copy of the bytes is aligned, and is alone in its buffer, which Node's Buffers are not.
  ["Uint8Array", "bytes (if of float32, write new Float32Array(Uint8Array.from(bytes).buffer))"],
  ["ArrayBuffer", "bytes (if of float32, write new Float32Array(bytes))"],
  ["Uint16Array", "a Uint16Array (the bits of float16 or bfloat16? convert them to float32)"],
  ["Function", "a tensor whose data is a method (write tensor.dataSync())"],
  ["AsyncFunction", "a tensor whose data is a method (write tensor.dataSync())"],
]);

/** The numbers of one array. Bytes are not taken for numbers: they would be four features for one. */
function floats(arrays: Arrays, name: string): number[] {
  const label = arrays.label(name);
  const { data, shape } = heldBy(arrays.find(name));
  if (!isFloats(data)) {
    const expected = "an array of floating-point numbers";
    const instead = INSTEAD.get(tagOf(data));
    if (instead === undefined) throw wrongKind(label, expected, data);
    throw new TypeError(`${label}: expected ${expected}, got ${instead}`);
  }
  const found = numbers(label, data);
  if (isList(shape) && Array.from(shape, Number).reduce((all, size) => all * size, 1) !== found.length) {
    throw wrongValue(label, `as many numbers as its shape ${show(shape)} has`, found.length);
  }
  return found;
}

function optional(arrays: Arrays, name: string): number[] | null {
  const value = arrays.find(name);
  return value === undefined || value === null ? null : floats(arrays, name);
}

/** A count is saved as a number, a 64-bit integer, or a tensor of one; without it nothing was counted. */
function count(arrays: Arrays, name: string): number {
  const { data } = heldBy(arrays.find(name));
  if (data === undefined || data === null) return 0;
  const one = isList(data) && data.length === 1 ? data[0] : data;
  return nonNegativeInteger(arrays.label(name), typeof one === "bigint" ? Number(one) : one);
}

/** A tensor's data and shape, or what is itself the data. */
function heldBy(value: unknown): { data: unknown; shape?: unknown } {
  return value !== null && typeof value === "object" && "data" in value ? value : { data: value };
}

function isFloats(data: unknown): data is ArrayLike<unknown> {
  return Array.isArray(data) || /^Float(?:16|32|64)Array$/.test(tagOf(data));
}
