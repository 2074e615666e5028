// What importing the kernels means: this project's bundler inlines the bytes as hexadecimal digits; with ?module, the bundler
// of an edge runtime gives a compiled WebAssembly.Module.
declare module "*.wasm" {
  const hexadecimal: string;
  export default hexadecimal;
}
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
