// The page: what is on it, in the order of its sections. What takes its time is a task of its own.

import { element } from "./element.js";
import { pause } from "./pause.js";

const kernels = { wasm: "WebAssembly SIMD kernels", javascript: "JavaScript kernels" };

// With Plot and all of d3, which take as long to evaluate as the rest.
await import("./figure.js");
await pause();
const { DistributionsSection } = await import("./distributions.js");
const distributions = new DistributionsSection();
element("backend", HTMLOutputElement).value = kernels[await distributions.backend()];
await distributions.wine();
const { showHero } = await import("./hero.js");
if (distributions.opened) await showHero(distributions.opened, await distributions.view("standard"));
const { BenchmarkSection } = await import("./benchmark.js");
await new BenchmarkSection().showAccuracy();
const { TrainingSection } = await import("./training.js");
await new TrainingSection().draw();
const { PictureSection } = await import("./picture.js");
await new PictureSection().scene();

if (import.meta.env.PROD && "serviceWorker" in navigator) {
  await navigator.serviceWorker.register(new URL("service-worker.js", document.baseURI));
}
