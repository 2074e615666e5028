// The page, static and with relative addresses: it runs on any host, in any folder of it.

import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Without what was built before: files have their content in their names. */
const fresh: Plugin = {
  name: "fresh",
  apply: "build",
  buildStart: () => rmSync(path("../../build/site/assets"), { recursive: true, force: true }),
};

/** The service worker, told what was built. tfjs is fetched only by who asks for it, and kept from then on. */
const offline: Plugin = {
  name: "offline",
  apply: "build",
  generateBundle(_, bundle) {
    const files = Object.keys(bundle).filter((name) => !name.includes("tfjs"));
    const version = createHash("sha256").update(files.sort().join()).digest("hex").slice(0, 8);
    const head = `const VERSION = "${version}";\nconst FILES = ${JSON.stringify(["./", ...files])};\n`;
    const source = head + readFileSync(path("service-worker.js"), "utf8");
    this.emitFile({ type: "asset", fileName: "service-worker.js", source });
  },
};

export default defineConfig({
  root: path("."),
  base: "./",
  resolve: { alias: { simdnorm: path("../../build/index.js") } },
  plugins: [fresh, offline],
  worker: { format: "es" },
  build: {
    outDir: path("../../build/site"),
    // The documentation is there, too.
    emptyOutDir: false,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Plot and all of d3.
    chunkSizeWarningLimit: 1000,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
