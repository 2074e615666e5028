// A Redis server of our own.

import { spawn } from "node:child_process";
import { once } from "node:events";

// What it has acknowledged is in its append-only file, and it evicts nothing: a queue needs both.
const SETTINGS = ["--appendonly", "yes", "--maxmemory-policy", "noeviction", "--bind", "127.0.0.1"];

export default class Redis {
  #arguments;
  #process;
  name = "Redis";
  /** What it has said since it was started. */
  log = "";

  constructor(folder, port) {
    this.#arguments = [...SETTINGS, "--dir", folder, "--port", String(port)];
    this.url = `redis://127.0.0.1:${port}`;
  }

  async start() {
    this.log = "";
    this.#process = spawn("redis-server", this.#arguments);
    await new Promise((ready, failed) => {
      this.#process.once("error", failed); // It is not installed.
      this.#process.once("exit", () => failed(new Error(`redis-server ended:\n${this.log}`)));
      this.#process.stdout.on("data", (text) => {
        this.log += text;
        if (this.log.includes("Ready to accept connections")) ready();
      });
    });
  }

  /** What it said when it found its data again. */
  get recovery() {
    return this.log.match(/DB loaded from append only file.*/)?.[0];
  }

  /** Kills it, and resolves when it is gone. */
  async kill() {
    if (this.#process?.kill("SIGKILL")) await once(this.#process, "exit");
  }
}
