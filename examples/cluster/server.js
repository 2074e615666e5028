// The store: one that runs elsewhere, or one of our own in a temporary folder, gone when the program ends.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "./ending.js";

const installed = () => (spawnSync("redis-server", ["--version"]).error ? "postgres" : "redis");

/**
 * A store that runs: the one at a URL, or a new one, `"redis"` or `"postgres"`; by default Redis where it is installed,
 * and Postgres elsewhere.
 */
export async function serve(kind = installed()) {
  if (URL.canParse(kind)) return { name: kind, url: kind };
  if (!["redis", "postgres"].includes(kind))
    throw new Error(`expected redis, postgres or a URL, got ${kind}`);
  const { default: Server } = await import(`./${kind}.js`);
  const folder = mkdtempSync(join(tmpdir(), `simdnorm-${kind}-`));
  chmodSync(folder, 0o755); // A server may run as another user.
  const server = new Server(folder, await freePort());
  // Before it is started: it may not get that far.
  atEnd(() => {
    server.kill();
    rmSync(folder, { recursive: true, maxRetries: 20 });
  });
  await server.start();
  return server;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await once(server.close(), "close");
  return port;
}
