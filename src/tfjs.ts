/**
 * Batch normalization of TensorFlow.js' backends wasm and cpu on simdnorm.
 *
 * @module simdnorm/tfjs
 */

import {
  type DataType,
  getKernel,
  type KernelConfig,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { BatchNorm } from "./index.js";

const KERNEL = "FusedBatchNorm";
const BACKENDS = ["wasm", "cpu"] as const;

/**
 * Values beyond one per feature up to which the kernel that was there is faster: of 64 features it takes 2.7 µs for 512
 * values, 4.8 for 1024 and 9 for 2048, ours 2.8, 3.0 and 3.3 (wasm; on cpu ours is ahead from 256 on).
 */
const TINY = 512;

type Call = Parameters<KernelFunc>[0];

/** How each kernel of ours that was ever registered is undone. */
const undoing = new WeakMap<KernelConfig, () => void>();

/**
 * Runs batch normalization of TensorFlow.js on simdnorm: `tf.batchNorm`, and so layers' `BatchNormalization` and
 * converted models' `FusedBatchNormV3`. What it does not do (values that are not float32, other parameters than one
 * number per feature of the last axis, a few values) stays with the kernel that was there.
 *
 *     import "@tensorflow/tfjs-backend-wasm";
 *     import { register } from "simdnorm/tfjs";
 *     register();
 *
 * @param backend whose: "wasm" or "cpu", which must be imported. Default: both, as far as they are imported
 * @returns the function that undoes it. Registered twice is registered once, and undone by either
 * @throws TypeError, RangeError if the backend is another, or not imported
 */
export function register(backend?: "wasm" | "cpu"): () => void {
  const known = BACKENDS.filter((name) => backend === undefined || backend === name);
  if (known.length === 0) {
    const Kind = typeof backend === "string" ? RangeError : TypeError;
    const got = Object(backend) === backend ? "an object" : String(backend);
    throw new Kind(`backend: expected "wasm" or "cpu", got ${got}`);
  }
  const imported = known.filter((name) => getKernel(KERNEL, name) !== undefined);
  if (imported.length === 0) {
    const names = known.map((name) => `"${name}"`).join(" or ");
    const packages = known.map((name) => `"@tensorflow/tfjs-backend-${name}"`).join(" or ");
    throw new RangeError(`backend: expected ${names} to be there, got none (import ${packages} before)`);
  }
  const undo = imported.map(replace);
  return () => {
    for (const each of undo) each();
  };
}

/** Puts our kernel in the place of a backend's own. */
function replace(backendName: string): () => void {
  const stock = getKernel(KERNEL, backendName);
  const known = undoing.get(stock);
  if (known !== undefined) return known;
  const layers = new Map<number, BatchNorm>();
  const ours = {
    ...stock,
    kernelFunc: (call: Call) => batchNorm(call, layers) ?? stock.kernelFunc(call),
  };
  const put = (kernel: KernelConfig) => {
    unregisterKernel(KERNEL, backendName);
    registerKernel(kernel);
  };
  put(ours);
  const undo = () => {
    layers.clear();
    // Another one may have come after ours.
    if (getKernel(KERNEL, backendName) === ours) put(stock);
  };
  undoing.set(ours, undo);
  return undo;
}

/** The kernel; undefined where the call is for the one that was there. */
function batchNorm({ inputs, backend, attrs }: Call, layers: Map<number, BatchNorm>): TensorInfo | undefined {
  const { x, mean, variance, scale, offset } = inputs;
  const epsilon = attrs?.varianceEpsilon;
  if (!x || !mean || !variance || typeof epsilon !== "number") return undefined;
  const features = x.shape[x.shape.length - 1];
  if (lengthOf(x) <= TINY + features) return undefined;
  const tensors = [mean, variance, scale, offset].filter((tensor) => tensor != null);
  // Whatever their shape: kernels of tfjs begin a parameter anew where it ends.
  if (!tensors.every((tensor) => lengthOf(tensor) === features)) return undefined;
  tensors.push(x);
  if (!tensors.every(({ dtype }) => dtype === "float32")) return undefined;

  // Filled for each call: of 1024 features this takes 3 µs more than a table that is kept would, and nothing has to be
  // known of when tensors change or end, nor linear memory to be given back.
  const layerBy = (values: (tensor: TensorInfo) => Float32Array): BatchNorm => {
    let layer = layers.get(features);
    if (layer === undefined) {
      layer = new BatchNorm(features, { epsilon: 0 });
      layers.set(features, layer);
    }
    layer.runningMean.set(values(mean));
    const { runningVariance, gamma, beta } = layer;
    const given = values(variance);
    for (let j = 0; j < features; j++) runningVariance[j] = given[j] + epsilon;
    if (scale) gamma?.set(values(scale));
    else gamma?.fill(1);
    if (offset) beta?.set(values(offset));
    else beta?.fill(0);
    return layer;
  };

  if (isHeap(backend)) {
    // What another backend has moves here, and y gets its room: views come after, because the heap may grow.
    for (const { dataId } of tensors) backend.dataIdMap.get(dataId);
    const y = backend.makeOutput(x.shape, x.dtype);
    const view = (tensor: TensorInfo) => backend.typedArrayFromHeap(tensor);
    layerBy(view).infer(view(x), { out: view(y) });
    return y;
  }
  if (isArrays(backend)) {
    const values = ({ dataId }: TensorInfo) => backend.readSync(dataId);
    const y = layerBy(values).infer(values(x));
    return { dataId: backend.write(y, x.shape, x.dtype), shape: x.shape, dtype: x.dtype };
  }
  return undefined;
}

/** What is used of the backend wasm, whose values are in a memory of its own. */
interface Heap {
  readonly dataIdMap: { get(dataId: object): unknown };
  makeOutput(shape: number[], dtype: DataType): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Float32Array;
}

function isHeap(backend: object): backend is Heap {
  return "dataIdMap" in backend && "makeOutput" in backend && "typedArrayFromHeap" in backend;
}

/** What is used of the backend cpu, whose values are in arrays: reading copies none. */
interface Arrays {
  readSync(dataId: object): Float32Array;
  write(values: Float32Array, shape: number[], dtype: DataType): object;
}

function isArrays(backend: object): backend is Arrays {
  return "readSync" in backend && "write" in backend;
}

function lengthOf({ shape }: TensorInfo): number {
  return shape.reduce((length, size) => length * size, 1);
}
