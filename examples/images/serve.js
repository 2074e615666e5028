// node serve.js: this folder at http://localhost:8080, for canvas.html and video.html.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
const folder = fileURLToPath(new URL(".", import.meta.url));

export const server = createServer(({ url }, response) => {
  // A URL's path begins with a slash and has no dots to climb by.
  const { pathname } = new URL(url, "http://localhost");
  try {
    const content = readFileSync(join(folder, pathname));
    response.setHeader("Content-Type", TYPES[extname(pathname)] ?? "application/octet-stream");
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  server.listen(8080, "localhost", () => console.log("http://localhost:8080/canvas.html and video.html"));
}
