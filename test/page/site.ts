// The built page, served under a content security policy, and the browser that looks at it.

import { once } from "node:events";
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright";
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    chromium: string;
  }
}

const folder = fileURLToPath(new URL("../../build/site/", import.meta.url));

const types: Record<string, string> = {
  ".css": "text/css",
  ".csv": "text/csv",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Nothing from elsewhere, nothing inline, no eval. WebAssembly may be forbidden as well. */
function policy(wasm: boolean): string {
  return [
    "default-src 'none'",
    `script-src 'self'${wasm ? " 'wasm-unsafe-eval'" : ""}`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

export interface Site {
  readonly address: string;
  close(): void;
}

/** Serves build/site in a folder of the host, as hosts of static files do. */
export async function serve({ wasm = true } = {}): Promise<Site> {
  const server = createServer((request, response) => {
    const path = new URL(request.url!, "http://host").pathname;
    const inside = path.startsWith("/some/folder/") ? normalize(path.slice("/some/folder/".length)) : "..";
    const file = join(folder, inside === "." ? "index.html" : inside);
    if (inside.startsWith("..") || !existsSync(file) || statSync(file).isDirectory()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "Content-Type": types[extname(file)] ?? "application/octet-stream",
      "Content-Security-Policy": policy(wasm),
    });
    createReadStream(file).pipe(response);
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return {
    address: `http://localhost:${address.port}/some/folder/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export const launch = (...args: string[]): Promise<Browser> =>
  chromium.launch({ executablePath: inject("chromium"), args: ["--no-sandbox", ...args] });

/** A page of the site, and whatever it complained about. */
export async function visit(
  browser: Browser,
  { address }: Site,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(address);
  return { page, complaints };
}
