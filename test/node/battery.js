// node battery.js [missing global | "all" | "frozen intrinsics" | "frozen globalThis"] [backend]: takes away what is
// named, then imports the package and prints what a call of every kind returns.

const [missing = "", backend = ""] = process.argv.slice(2);
const print = console.log.bind(console);

const globals = {
  ...Object.fromEntries(
    [
      ...["FinalizationRegistry", "WeakRef", "atob", "navigator", "SharedArrayBuffer", "WebAssembly"],
      ...["structuredClone", "TextDecoder", "process"],
    ].map((name) => [name, () => delete globalThis[name]]),
  ),
  // It cannot be deleted.
  "Symbol.dispose": () => {
    const { dispose, asyncDispose, prototype, length, name, ...kept } =
      Object.getOwnPropertyDescriptors(Symbol);
    const make = Symbol;
    globalThis.Symbol = Object.defineProperties((description) => make(description), kept);
  },
};
const states = {
  ...globals,
  all: () => Object.values(globals).map((take) => take()),
  "frozen intrinsics": () => Object.getOwnPropertyNames(globalThis).map((name) => freeze(globalThis[name])),
  "frozen globalThis": () => Object.freeze(globalThis),
};

/** What a value leads to: V8's own objects, and not what Node has made of them. */
function freeze(value, seen = new Set()) {
  if (value === null || !/^(object|function)$/.test(typeof value) || seen.has(value)) return;
  seen.add(value);
  if (value === globalThis || value === process) return;
  for (const property of Object.values(Object.getOwnPropertyDescriptors(value))) {
    for (const part of [property.value, property.get, property.set]) freeze(part, seen);
  }
  freeze(Object.getPrototypeOf(value), seen);
  if (!ArrayBuffer.isView(value)) Object.freeze(value);
}

if (missing !== "") states[missing]();

const simdnorm = await import("../../build/index.js");
const { Affine, BatchNorm, Extrema, ImageScaler, MinMaxScaler, Moments, StandardScaler, Tensor } = simdnorm;
if (backend !== "") simdnorm.init({ backend });

const ROWS = 200;
const FEATURES = 5;
const x = Float32Array.from({ length: ROWS * FEATURES }, (_, i) => Math.sin(i * i) * 3 + (i % 7));
const rows = Array.from({ length: ROWS }, (_, i) => Array.from(x.subarray(i * FEATURES, (i + 1) * FEATURES)));
const image = { data: Uint8Array.from({ length: 4 * 400 }, (_, i) => (i * 37) % 256), width: 20, height: 20 };

const calls = {
  layer() {
    const bn = new BatchNorm(FEATURES, { gamma: [1, 2, 3, 4, 5] });
    const y = bn.train(x);
    const { dx, dGamma, dBeta } = bn.backward(x, y);
    const copy = BatchNorm.fromJSON(JSON.parse(JSON.stringify(bn)));
    return [y, dx, dGamma, dBeta, copy.infer(x, { activation: "relu", residual: y }), bn.fold().apply(x)];
  },
  tensors() {
    const kept = simdnorm.scope(() => new BatchNorm(FEATURES).train(new Tensor([ROWS, FEATURES], x)));
    const values = kept.data.slice();
    new Tensor([100_000]);
    kept.dispose();
    const planes = new Tensor([2, FEATURES, 10, 10], x);
    const y = new BatchNorm(FEATURES, { axis: 1 }).train(planes, { out: planes }).data.slice();
    planes[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
    return [values, y];
  },
  maps() {
    const map = new Affine(2, { center: [1, 2], scale: [3, 4] });
    const folded = map.foldIntoLinear({ weight: Float32Array.of(1, 2, 3, 4) }, { layout: "OI" });
    return [map.pipe(map.inverse()).apply(x.subarray(0, 600)), folded.weight, folded.bias];
  },
  statistics() {
    const odd = x.map((value, i) => (i % 11 === 0 ? Number.NaN : value));
    const moments = new Moments({ nan: "ignore" })
      .add(rows)
      .merge(new Moments(5, { nan: "ignore" }).add(odd));
    const extrema = Extrema.fromJSON(JSON.parse(JSON.stringify(new Extrema(FEATURES).add(odd))));
    return [moments.mean, moments.variance, moments.count, extrema.min, extrema.max, extrema.count];
  },
  scalers() {
    const standard = new StandardScaler().fit(rows);
    const range = new MinMaxScaler(FEATURES, { range: [-1, 1], clip: true });
    const y = range.fitTransform(x);
    return [
      ...standard.transform(rows),
      y,
      range.inverseTransform(y),
      standard.transform(Float64Array.from(x)),
    ];
  },
  images() {
    const scaler = ImageScaler.fit([image, image]);
    const y = scaler.apply(image);
    return [scaler.mean, y, scaler.inverse(y, { width: 20, height: 20 }).data];
  },
  errors() {
    return [
      () => new BatchNorm(5).infer(rows),
      () => new Tensor([-1]),
      () => simdnorm.init({ backend: "x" }),
    ].map((call) => {
      try {
        return call();
      } catch (error) {
        return `${error.name}: ${error.message}`;
      }
    });
  },
};

print(
  JSON.stringify(
    {
      backend: simdnorm.backend(),
      ...Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, call()])),
    },
    (_, value) => (ArrayBuffer.isView(value) ? Array.from(value, String) : value),
  ),
);
