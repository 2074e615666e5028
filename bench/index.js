// npm run bench -- [speed | rows | pixels | coldstart | peers | pixel-peers | tfjs] [options]: one of the measurements; speed if none is named.

const measurements = {
  speed: "./speed.js",
  rows: "./rows.js",
  pixels: "./pixels.js",
  coldstart: "./coldstart.js",
  peers: "./peers/index.js",
  "pixel-peers": "./peers/pixels.js",
  tfjs: "./peers/tfjs.js",
};

// The measurement reads its own options.
const [name] = process.argv[2] in measurements ? process.argv.splice(2, 1) : ["speed"];
await import(measurements[name]);
