// The program ended in the middle of its work: nothing of it is left.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "./caught.js";

const script = fileURLToPath(new URL("run.js", import.meta.url));

for (const store of ["redis", "postgres"]) {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    test(`${store}: after ${signal} there are no workers, no store, and no folder of it`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), "simdnorm-ended-"));
      chmodSync(folder, 0o755); // A server may run as another user.
      const program = spawn(process.execPath, [script, store], {
        detached: true, // With its children it is a group, which can be asked for.
        env: { ...process.env, TMPDIR: folder },
        stdio: ["ignore", "ignore", "pipe"],
      });
      t.after(() => {
        if (runs(program.pid)) process.kill(-program.pid, "SIGKILL");
        rmSync(folder, { recursive: true, maxRetries: 20 });
      });
      const [progress] = await once(program.stderr, "data");
      assert.match(String(progress), /rows/);
      assert.equal(readdirSync(folder).length, 1);
      assert.ok(runs(program.pid));

      program.kill(signal);
      const [status] = await once(program, "exit");
      assert.equal(status, 128 + constants.signals[signal]);
      assert.deepEqual(readdirSync(folder), []);
      await until("the end of its processes", () => !runs(program.pid));
    });
  }
}

/** Whether any process of a group runs. One that has ended may be listed until its new parent asks for its status. */
function runs(group) {
  const lines = execFileSync("ps", ["-eo", "pgid=,stat="], { encoding: "utf8" }).trim().split("\n");
  return lines.some((line) => {
    const [id, state] = line.trim().split(/\s+/);
    return Number(id) === group && !state.startsWith("Z");
  });
}
