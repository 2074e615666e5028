// What `import bytes from "….wasm"` means: the bundler inlines the file.
declare module "*.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
