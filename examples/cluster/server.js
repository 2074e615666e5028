// A store of our own in a temporary folder, gone when the program ends.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One that runs: `"redis"` or `"postgres"`; by default Redis where it is installed, Postgres elsewhere. */
export async function serve(kind = spawnSync("redis-server", ["--version"]).error ? "postgres" : "redis") {
  if (kind !== "redis" && kind !== "postgres") throw new Error(`expected redis or postgres, got ${kind}`);
  const { default: Server } = await import(`./${kind}.js`);
  const folder = mkdtempSync(join(tmpdir(), `simdnorm-${kind}-`));
  const server = new Server(folder, await freePort());
  await server.start();
  process.once("exit", () => {
    server.kill();
    rmSync(folder, { recursive: true, maxRetries: 20 });
  });
  return server;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}
