// The page: what is on it, in the order of its sections.

import { BenchmarkSection } from "./benchmark.js";
import { DistributionsSection } from "./distributions.js";
import { element } from "./element.js";
import { showHero } from "./hero.js";
import { PictureSection } from "./picture.js";
import { TrainingSection } from "./training.js";

const kernels = { wasm: "WebAssembly SIMD kernels", javascript: "JavaScript kernels" };

const distributions = new DistributionsSection();
element("backend", HTMLOutputElement).value = kernels[await distributions.backend()];
await distributions.wine();
if (distributions.opened) showHero(distributions.opened, await distributions.view("standard"));
const benchmark = new BenchmarkSection();
await benchmark.showAccuracy();
new TrainingSection();
new PictureSection();

if (import.meta.env.PROD && "serviceWorker" in navigator) {
  await navigator.serviceWorker.register(new URL("service-worker.js", document.baseURI));
}
