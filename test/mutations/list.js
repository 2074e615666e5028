// What is broken, one line each: the file, what stands there, what stands there instead, and the tests that must notice.
// A mutation that no test can notice says why it is equivalent.

const kernels = [
  "test/node/kernels-reduce.test.ts",
  "test/node/kernels-apply.test.ts",
  "test/node/kernels-fold.test.ts",
];
const training = [
  "test/short-planes.test.ts",
  "test/thresholds.test.ts",
  "test/strips.test.ts",
  "test/batch-norm.test.ts",
];
const memory = ["test/node/growth.test.ts", "test/node/memory.test.ts", "test/node/tensors.test.ts"];
const arguments_ = [
  "test/validation.test.ts",
  "test/settings.test.ts",
  "test/errors.test.ts",
  "test/options.test.ts",
];
const operand = ["test/node/operand.test.ts", "test/node/walk.test.ts", ...training];
const backward = ["test/thresholds.test.ts", "test/backward.test.ts"];

export const mutations = [
  // The kernels.
  [
    "assembly/moments-planes.ts",
    "const SHORT_FLUSH: usize = 64;",
    "const SHORT_FLUSH: usize = 4096;",
    training,
  ],
  ["assembly/moments-planes.ts", "const FLUSH: usize = 192;", "const FLUSH: usize = 65536;", training],
  [
    "assembly/moments-planes.ts",
    "if (inner < 16) return f32x4",
    "if (inner < 8) return f32x4",
    [...kernels, ...training],
  ],
  ["assembly/moments-planes.ts", "<usize>(n * 4) : left;", "left : left;", training],
  [
    "assembly/moments-planes.ts",
    "max(q - s * delta, 0)",
    "q - s * delta",
    ["equivalent: the first value is the shift, so that at least 1/n of the squares is left"],
  ],
  [
    "assembly/moments-planes.ts",
    "if (count === 0 && inner < 4)",
    "if (count === 0 && inner < 1)",
    [...kernels, ...training],
  ],
  ["assembly/moments-columns.ts", "const FLUSH: usize = 16;", "const FLUSH: usize = 4096;", training],
  [
    "assembly/moments-columns.ts",
    "count === 0 ? 8 : count < <f64>FLUSH ? <usize>count : FLUSH",
    "FLUSH",
    training,
  ],
  [
    "assembly/moments-columns.ts",
    "if (pending > 0) flush(",
    "if (pending > 1) flush(",
    [...kernels, ...training],
  ],
  [
    "assembly/merge.ts",
    "(count * pending) / (count + pending)",
    "(pending * pending) / (count + pending)",
    training,
  ],
  [
    "assembly/merge.ts",
    "squares < Infinity) continue;",
    "squares <= Infinity) continue;",
    [...kernels, ...training, "test/beyond-float32.test.ts"],
  ],
  ["assembly/merge.ts", "count * 1e-36", "0", [...kernels, ...training]],
  [
    "assembly/fold.ts",
    "f64x2.add(lower(b), f64x2.mul(f64x2.sub(lower(center), m0), s0))",
    "lower(b)",
    [...kernels, ...training],
  ],
  ["assembly/fold.ts", "1.2676506002282294e30", "1e38", ["test/beyond-float32.test.ts", ...kernels]],
  ["assembly/index.ts", "heap.free(pointer);", "if (pointer === 0) heap.free(pointer);", memory],

  // Where data is.
  ["src/wasm/memory.ts", ">>> 0;", "| 0;", memory],
  ["src/wasm/memory.ts", "const SLACK = 32;", "const SLACK = 0;", memory],
  ["src/wasm/memory.ts", "floats.values.fill(0);", "", memory],
  ["src/wasm/memory.ts", "values.end + SLACK <= this.#size", "values.end <= this.#size", memory],
  ["src/wasm/operand.ts", "if (first <= this.#from)", "if (first < this.#from)", operand],
  ["src/wasm/operand.ts", "this.#pointer !== 0 && chunk.row === chunk.pitch", "this.#pointer !== 0", operand],
  [
    "src/wasm/operand.ts",
    "this.#spread = !this.resident &&",
    "this.#spread =",
    [
      "equivalent: what stands in memory has no place in the window, and what is written over it only gets another one",
    ],
  ],
  [
    "src/wasm/wasm.ts",
    "this.#x.resident && this.#y.resident && this.#beside.resident",
    "this.#x.resident && this.#y.resident",
    [...backward, ...operand],
  ],
  [
    "src/wasm/wasm.ts",
    "const HOLD = 1024 * 1024;",
    "const HOLD = 48 * 1024;",
    ["equivalent: arrays are staged once more, which costs time only"],
  ],
  [
    "src/wasm/walk.ts",
    "return width * copies <= WIDE && rows",
    "return width * copies <= 4 * WIDE && rows",
    operand,
  ],
  ["src/wasm/walk.ts", "features * inner <= WIDE && outer", "features * inner <= 4 * WIDE && outer", operand],
  [
    "src/wasm/walk.ts",
    "const most = 2 * Math.max(1, Math.floor(window / inner / 2));",
    "const most = Math.max(1, Math.floor(window / inner));",
    operand,
  ],
  ["src/wasm/walk.ts", "const seen = image * inner + done;", "const seen = image * inner;", operand],
  ["src/tensor.ts", "return placed(inUse(name, data));", "return inUse(name, data);", memory],
  ["src/tensor.ts", "owners.set(values, this);", "", memory],
  [
    "src/tensor.ts",
    "freeWhenForgotten(this, { free });",
    "freeWhenForgotten(this, block);",
    [...memory, "test/node/environment.test.ts"],
  ],
  ["src/tensor.ts", "freeWhenForgotten(this, { free });", "", ["test/node/environment.test.ts"]],
  [
    "src/tensor.ts",
    "    neverForgotten(this);\n    this.#block.free();",
    "    this.#block.free();",
    [...memory, "test/node/environment.test.ts"],
  ],
  ["src/prepared.ts", "neverForgotten(this);", "", ["test/node/environment.test.ts", ...memory]],
  [
    "src/scaler.ts",
    "const y = this.#map(x, { out, shape }, forward, this.#fit.after);\n      this.#adopt(part, precision, forward);",
    "this.#adopt(part, precision, forward);\n      const y = this.#map(x, { out, shape }, forward, this.#fit.after);",
    ["test/node/exhaustion.test.ts"],
  ],

  // Arguments.
  [
    "src/call.ts",
    "const apart = Math.abs(a.byteOffset - b.byteOffset);",
    "const apart = a.byteOffset - b.byteOffset;",
    arguments_,
  ],
  ["src/call.ts", "return apart < a.length", "return apart <= a.length", arguments_],
  ["src/argument.ts", "array.length === length && length > 0", "length > 0", arguments_],
  ["src/argument.ts", 'kind(value) === "Float32Array"', "value instanceof Float32Array", arguments_],
  ["src/layout.ts", "at < 0 || at >= sizes.length", "at >= sizes.length", arguments_],
  ["src/layout.ts", "sizes[axis] === 0 ? 0 : all * sizes[axis]", "all * sizes[axis]", arguments_],
  ["src/shown.ts", "value instanceof noun && isMade(value)", "value instanceof noun", arguments_],
  [
    "src/json.ts",
    '"Infinity", "-Infinity", "-0"]',
    '"Infinity", "-Infinity"]',
    ["test/affine.test.ts", "test/batch-norm.test.ts", ...arguments_],
  ],
  [
    "src/moments.ts",
    "a.m2[j] + b.m2[j] + e * e * a.count[j] * weight",
    "a.m2[j] + b.m2[j] + e * e * b.count[j] * weight",
    ["test/moments.test.ts"],
  ],
  [
    "src/batch-norm.ts",
    "...{ momentum, unbiased },",
    "...{ axis: -1, momentum, unbiased },",
    ["test/batch-norm.test.ts", "test/synchronized.test.ts", ...arguments_],
  ],
];
