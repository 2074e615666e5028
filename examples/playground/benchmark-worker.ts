// Contenders in a worker of their own: the library on WebAssembly, or its JavaScript backend and the obvious loops. The
// latter need a worker in which no WebAssembly memory grows: in V8 that slows every loop over typed arrays.

import { expose } from "comlink";
import { init, Tensor } from "simdnorm";
import { naive } from "../../bench/naive.js";
import { operationsOf } from "../../bench/operations.js";
import { shapes, values } from "../../bench/shapes.js";
import { accuracies } from "./accuracy.js";
import { Contender } from "./contender.js";

export type Operation = "infer" | "train";
export type Kernels = "wasm" | "javascript";

type Shape = (typeof shapes)[number];
type Memory = Record<"x" | "y" | "dy", Float32Array | Tensor>;
type Operations = Partial<Record<string, (shape: Shape, memory: Memory) => (() => void) | null>>;

/** What is timed: an operation in place. */
function call(operations: Operations, name: Operation, shape: Shape, x: Float32Array | Tensor): () => void {
  const prepared = operations[name]?.(shape, { x, y: x, dy: x });
  if (!prepared) throw new RangeError(`operation: expected one of this shape's, got ${name}`);
  return prepared;
}

let contenders = new Map<string, Contender>();

const benchmark = {
  /** Makes ready what runs on such kernels; returns the names. */
  prepare(kernels: Kernels, name: string, operation: Operation): string[] {
    const shape = shapes.find((shape) => shape.name === name);
    if (!shape) throw new RangeError(`shape: expected one of the bench's, got ${name}`);
    const x = values(shape.length);
    const operations: Operations = operationsOf(shape);
    const prepared: Record<string, () => void> = {};
    if (kernels === "javascript") {
      init({ backend: "javascript" });
      prepared["tuned JavaScript"] = call(operations, operation, shape, x);
      const other = x.slice();
      prepared["naive JavaScript"] = naive[operation](shape, { x: other, y: other });
    } else {
      const tensor = new Tensor(shape.sizes, x);
      prepared["simdnorm, tensor"] = call(operations, operation, shape, tensor);
      prepared["simdnorm, array"] = call(operations, operation, shape, x);
    }
    contenders = new Map(Object.entries(prepared).map(([name, call]) => [name, new Contender(call)]));
    return [...contenders.keys()];
  },

  /** Milliseconds per call. */
  round: (name: string): number => contenders.get(name)!.round(),

  accuracies,
};
export type Benchmark = typeof benchmark;
expose(benchmark);
