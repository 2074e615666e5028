// What tfjs' own tests run in: the backends wasm and cpu with simdnorm's kernel, which counts its calls.

import "@tensorflow/tfjs-backend-cpu";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { getBackend, getKernel, registerKernel, unregisterKernel, util } from "@tensorflow/tfjs-core";
import { setTestEnvs } from "@tensorflow/tfjs-core/dist/jasmine_util";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import { BatchNorm } from "simdnorm";
import { register } from "simdnorm/tfjs";

const backends = ["wasm", "cpu"];
setWasmPaths(process.env.WASM_PATHS);
setTestEnvs(backends.map((name) => ({ name, backendName: name, isDataSync: true })));
register();

/** Calls of the kernel, how many of them have one parameter of a kind per feature, and how many ran on simdnorm. */
const counts = Object.fromEntries(backends.map((name) => [name, { calls: 0, perFeature: 0, ours: 0 }]));
for (const name of backends) {
  const kernel = getKernel("FusedBatchNorm", name);
  unregisterKernel("FusedBatchNorm", name);
  registerKernel({
    ...kernel,
    kernelFunc(call) {
      const { x, ...parameters } = call.inputs;
      const given = Object.values(parameters).filter((parameter) => parameter !== undefined);
      const features = x.shape.at(-1);
      counts[name].calls++;
      if (given.every(({ shape }) => util.sizeFromShape(shape) === features)) counts[name].perFeature++;
      return kernel.kernelFunc(call);
    },
  });
}
const { infer } = BatchNorm.prototype;
BatchNorm.prototype.infer = function (...args) {
  counts[getBackend()].ours++;
  return infer.apply(this, args);
};
process.on("exit", () => console.log(JSON.stringify(counts)));
