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
const statistics = [
  "test/node/statistics.test.ts",
  "test/extrema.test.ts",
  "test/moments.test.ts",
  "test/scalers.test.ts",
];
const rows = ["test/node/rows.test.ts", "test/row-norm.test.ts"];
const images = [
  "test/images.test.ts",
  "test/image-errors.test.ts",
  "test/pixel-map.test.ts",
  "test/node/pixels.test.ts",
];
const backward = ["test/thresholds.test.ts", "test/backward.test.ts"];
const tfjs = ["test/node/tfjs.test.ts"];

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

  // The kernels, once more: tiles, gradients, statistics, rows, pixels.
  ["assembly/moments-columns.ts", "count += <f64>(done * inner);", "", [...kernels, ...training]],
  ["assembly/moments-columns.ts", "v128.store(work, narrow(m0, m1));", "", training],
  [
    "assembly/moments-columns.ts",
    "Number.isFinite(first) ? first : 0",
    "first",
    [...kernels, ...training, "test/beyond-float32.test.ts"],
  ],
  [
    "assembly/moments-columns.ts",
    "max(load<f64>(m2 + at) - s * delta, 0)",
    "load<f64>(m2 + at) - s * delta",
    ["equivalent: the shift is a value or the mean so far, so that at least 1/n of the squares is left"],
  ],
  [
    "assembly/merge.ts",
    "squares === 0 && (size === 0 || size > 1e-15)",
    "squares === 0",
    [...kernels, ...training],
  ],
  ["assembly/tiles.ts", "n += rows;", "", [...kernels, ...training]],
  ["assembly/tiles.ts", "(column / inner) % features", "column % features", [...kernels, ...training]],
  ["assembly/after.ts", "v = f32x4.add(v, v128.load32_zero(residual));", "v = v;", kernels],
  [
    "assembly/after.ts",
    "v128.load(residual));\n  return f32x4.pmin(f32x4.pmax(v, low), high);",
    "v128.load(residual));\n  return f32x4.pmin(f32x4.pmax(low, v), high);",
    [...kernels, "test/affine.test.ts"],
  ],
  ["assembly/fold.ts", "f64x2.mul(upper(g), r1)", "f64x2.mul(lower(g), r1)", kernels],
  [
    "assembly/fold.ts",
    "const LARGEST_SCALE: f32 = 1.7014118346046923e38;",
    "const LARGEST_SCALE: f32 = Infinity;",
    ["test/beyond-float32.test.ts", ...kernels],
  ],
  [
    "assembly/fold.ts",
    "const SMALLEST_SCALE: f32 = 1.1754943508222875e-38;",
    "const SMALLEST_SCALE: f32 = 0;",
    ["test/beyond-float32.test.ts", ...kernels],
  ],
  [
    "assembly/fold.ts",
    "f64x2.add(v128.load(s2), f64x2.mul(apart, v128.load(s1)))",
    "v128.load(s2)",
    [...kernels, ...backward],
  ],
  [
    "assembly/fold.ts",
    "f64x2.add(f64x2.mul(b0, f64x2.sub(lower(center), m0)), f64x2.mul(n0, v128.load(b)))",
    "f64x2.mul(n0, v128.load(b))",
    [...kernels, ...backward],
  ],
  [
    "assembly/gradients.ts",
    "const FLUSH: usize = 32;",
    "const FLUSH: usize = 8192;",
    [...kernels, ...backward],
  ],
  [
    "assembly/gradients.ts",
    "const stop = min(end16, x + 2048);",
    "const stop = end16;",
    [...kernels, ...backward],
  ],
  ["assembly/gradients.ts", "gradientRows<i16>(", "gradientRows<i8>(", [...kernels, ...backward]],
  ["assembly/backward.ts", "backwardRows<i16>(", "backwardRows<i8>(", [...kernels, ...backward]],
  ["assembly/gradients.ts", "memory.fill(wide1, 0, groups(columns) << 7);", "", [...kernels, ...backward]],
  [
    "assembly/extrema.ts",
    "v128.pmin<Value>(v128.pmin<Value>(m, v), w)",
    "v128.pmin<Value>(m, v128.pmin<Value>(v, w))",
    statistics,
  ],
  ["assembly/extrema.ts", "a = v128.pmin<Value>(a, a1);", "", statistics],
  ["assembly/extrema.ts", "f32x4.pmax(b, i32x4.shuffle(b, b, 1, 0, 3, 2))", "b", statistics],
  [
    "assembly/extrema.ts",
    "for (let j = whole; j < rest; j++)",
    "for (let j = whole; j < whole; j++)",
    statistics,
  ],
  ["assembly/exact-planes.ts", "first ? 16 : 2", "Infinity", statistics],
  ["assembly/rows-moments.ts", "FLUSH: usize = 1024;", "FLUSH: usize = 65536;", rows],
  [
    "assembly/rows-moments.ts",
    "const near = f64x2.le(f64x2.mul(d, d), variance);",
    "const near = f64x2.le(zero, variance);",
    rows,
  ],
  [
    "assembly/rows-moments.ts",
    "const shift = v128.and(lost, f32x4.gt(f32x4.abs(lost), f32x4.splat(NOTHING)));",
    "const shift = zero;",
    rows,
  ],
  ["assembly/rows-moments.ts", "v128.or(scale, v128.not(sure))", "scale", rows],
  ["assembly/rows-backward.ts", "if (pending + count > ROWS)", "if (pending > 65536)", rows],
  [
    "assembly/rows.ts",
    "if (span) careful<Kind>(x + span, target, rows, features, epsilon, gamma, across, work + 4);",
    "",
    rows,
  ],

  // Where data is, once more.
  [
    "src/wasm/wasm.ts",
    "table = map.pointer + (MAP_GROUP / 8) * first;",
    "table = map.pointer;",
    ["test/strips.test.ts", "test/affine.test.ts"],
  ],
  ["src/wasm/wasm.ts", "if (strips.length > 1) this.#fold(strip, map);", "", training],
  [
    "src/wasm/wasm.ts",
    "if (strips.length > 1) this.#foldSlope(strip, statistics, norm, gradients);",
    "",
    backward,
  ],
  [
    "src/wasm/wasm.ts",
    "if (same && last.resident === resident) return last.strips;",
    "if (same) return last.strips;",
    [...operand, ...backward],
  ],
  [
    "src/wasm/statistics.ts",
    "else if (row === pitch) window.set",
    "else if (row <= pitch) window.set",
    statistics,
  ],
  ["src/wasm/image-steps.ts", "if (bytes === 3) this.#kernels.widen(window, count);", "", images],
  ["src/wasm/image-steps.ts", 'if (order.channels === "BGR") kernels.reverse(y, count);', "", images],
  ["src/wasm/image-steps.ts", "if (!map.exact) {", "if (map.step.length === 0) {", images],
  ["src/wasm/image-steps.ts", "apart: 4 * this.#pixels }", "apart: 4 * count }", images],
  [
    "src/prepared.ts",
    "if (backend === this.#backend && this.#table !== undefined)",
    "if (this.#table !== undefined)",
    ["test/node/environment.test.ts", ...arguments_],
  ],
  [
    "src/environment.ts",
    "if (given !== undefined) wasm = given;",
    "",
    ["test/node/environment.test.ts", "test/node/memory.test.ts"],
  ],
  [
    "src/environment.ts",
    "const TINY = 128;",
    "const TINY = 2 ** 40;",
    ["test/thresholds.test.ts", "test/node/environment.test.ts", ...operand],
  ],
  ["src/call.ts", "return isTensor(y) || y.length > 0 ? y : viewOf(values);", "return y;", memory],
  ["src/grouped.ts", "first = (first + width) % features;", "first = 0;", ["test/group-norm.test.ts"]],
  [
    "src/grouped.ts",
    "squares += m2[j] + count * apart * apart;",
    "squares += m2[j];",
    ["test/group-norm.test.ts"],
  ],
  [
    "src/grouped.ts",
    "gamma === null ? values[j] : gamma[j] * values[j]",
    "values[j]",
    ["test/group-norm.test.ts"],
  ],

  // Arguments and states, once more.
  ["src/call.ts", "if (this.beside) checkOutput(this.y, name, this.beside);", "", arguments_],
  [
    "src/row-norm.ts",
    'checkOutput(sums, "skip", added, "sum");',
    "",
    ["test/row-norm.test.ts", ...arguments_],
  ],
  [
    "src/row-norm.ts",
    "sums !== null && overlap(viewOf(to), viewOf(sums))",
    "sums === to",
    ["test/row-norm.test.ts", ...arguments_],
  ],
  [
    "src/batch-norm.ts",
    'checkInUse("runningMean", this.runningMean, this.features);',
    "",
    ["test/batch-norm.test.ts", ...arguments_],
  ],
  [
    "src/layer.ts",
    'checkInUse("gamma", this.#norm.gamma, this.#features);',
    "",
    ["test/batch-norm.test.ts", ...arguments_],
  ],
  [
    "src/batch-norm.ts",
    "if (given === undefined) this.#spare = this.#trained?.batch ?? emptyStatistics(this.features);",
    "",
    ["test/backward.test.ts", "test/batch-norm.test.ts"],
  ],
  [
    "src/batch-norm.ts",
    "axis: this.axis,\n      center: mean,",
    "center: mean,",
    ["test/batch-norm.test.ts", "test/affine.test.ts"],
  ],
  [
    "src/standard-scaler.ts",
    "rounding * deviation[j] + (rounding * mean[j]) ** 2",
    "(rounding * mean[j]) ** 2",
    ["test/scalers.test.ts"],
  ],
  [
    "src/range.ts",
    "if (round(p + shift, single) !== low || round(q + shift, single) !== high) return false;",
    "if (round(q + shift, single) !== high) return false;",
    ["test/range.test.ts", "test/scalers.test.ts"],
  ],
  [
    "src/range.ts",
    "|| round(width, single) === Number.POSITIVE_INFINITY)",
    ")",
    ["test/range.test.ts", "test/scalers.test.ts"],
  ],
  ["src/min-max-scaler.ts", "max[j] - min[j] > 2 ** 127", "false", ["test/beyond-float32.test.ts"]],
  ["src/min-max-scaler.ts", "float32: clamp ?", "float32: clamp && size === -1 ?", ["test/scalers.test.ts"]],
  ["src/scaler.ts", 'this.#checkFinite("x", part);', "", ["test/scalers.test.ts", "test/samples.test.ts"]],
  [
    "src/scaler.ts",
    'precision === "float64" ? precision : this.#precision',
    "precision",
    ["test/samples.test.ts", "test/scalers.test.ts", "test/moments.test.ts"],
  ],
  ["src/moments.ts", "Number.isFinite(e) ?", "true ?", ["test/moments.test.ts"]],
  ["src/pixel-sums.ts", " || n * square < s * s", "", images],
  ["src/pixel-map.ts", "const fits = error <= U / 2;", "const fits = error <= U;", images],
  ["src/samples.ts", "if (length === 0) viewOf(values);", "", ["test/lists.test.ts"]],
  [
    "src/javascript/list-rows.ts",
    "const row = rows[i * step];",
    "const row = rows[i];",
    ["test/lists.test.ts"],
  ],
  [
    "src/javascript/lists-statistics.ts",
    "if (odd) subtractGaps(lists, into.count);",
    "",
    ["test/lists.test.ts"],
  ],
  [
    "src/tensor.ts",
    "if (made.delete(tensor)) outer?.add(tensor);",
    "made.delete(tensor);",
    ["test/scope.test.ts"],
  ],
  [
    "src/fold-into.ts",
    "if (before && padded !== false)",
    "if (before && padded === true)",
    ["test/fold-into.test.ts"],
  ],
  ["src/fold-into.ts", "checkMultiple(weight, channels);", "", ["test/fold-into.test.ts"]],

  // The kernel for TensorFlow.js.
  ["src/tfjs.ts", "const TINY = 512;", "const TINY = 511;", tfjs],
  ["src/tfjs.ts", "<= TINY + features", "<= TINY", tfjs],
  [
    "src/tfjs.ts",
    "if (!tensors.every((tensor) => lengthOf(tensor) === features)) return undefined;",
    "",
    tfjs,
  ],
  ["src/tfjs.ts", 'if (!tensors.every(({ dtype }) => dtype === "float32")) return undefined;', "", tfjs],
  ["src/tfjs.ts", "= given[j] + epsilon;", "= given[j] + 1e-3;", tfjs],
  ["src/tfjs.ts", "else gamma?.fill(1);", "", tfjs],
  ["src/tfjs.ts", "else beta?.fill(0);", "", tfjs],
  ["src/tfjs.ts", "for (const { dataId } of tensors) backend.dataIdMap.get(dataId);", "", tfjs],
  ["src/tfjs.ts", "if (getKernel(KERNEL, backendName) === ours) put(stock);", "put(stock);", tfjs],
  ["src/tfjs.ts", "if (known !== undefined) return known;", "", tfjs],
];
