// TensorFlow.js on its WebAssembly backend, which is loaded only for who asks for it, from where the page is.

import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import plain from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm?url";
import * as tf from "@tensorflow/tfjs-core";
import { expose } from "comlink";
import { parameters, shapes, values } from "../../bench/shapes.js";
import type { Operation } from "./benchmark-worker.js";
import { Contender } from "./contender.js";

let contender: Contender;

const tfjs = {
  async prepare(name: string, operation: Operation): Promise<string> {
    const absolute = (file: string) => new URL(file, location.href).href;
    // One thread, as all others have; the third kind is asked for all the same.
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
    setWasmPaths({
      "tfjs-backend-wasm-threaded-simd.wasm": absolute(simd),
      "tfjs-backend-wasm.wasm": absolute(plain),
      "tfjs-backend-wasm-simd.wasm": absolute(simd),
    });
    if (!(await tf.setBackend("wasm"))) throw new Error("tfjs: its WebAssembly backend cannot run here");
    await tf.ready();
    const shape = shapes.find((shape) => shape.name === name);
    if (!shape) throw new RangeError(`shape: expected one of the bench's, got ${name}`);
    const { epsilon, gamma, beta, runningMean, runningVariance } = parameters(shape);
    const x = tf.tensor2d(values(shape.length), [shape.outer, shape.features]);
    const [scale, offset] = [tf.tensor1d(gamma), tf.tensor1d(beta)];
    const [mean, variance] = [runningMean, runningVariance].map((given) => tf.tensor1d(Array.from(given)));
    contender = new Contender(() => {
      tf.tidy(() => {
        const batch = operation === "train" ? tf.moments(x, 0) : { mean, variance };
        tf.batchNorm(x, batch.mean, batch.variance, offset, scale, epsilon);
      });
    });
    return "tfjs, batchNorm";
  },

  round: (): number => contender.round(),
};
export type Tfjs = typeof tfjs;
expose(tfjs);
