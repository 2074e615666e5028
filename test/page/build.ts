// Builds the page before it is looked at.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export default function build(): void {
  const vite = ["node_modules/vite/bin/vite.js", "build", "--config", "examples/playground/vite.config.ts"];
  execFileSync(process.execPath, [...vite, "--logLevel", "warn"], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    // As users build it: that tests run is not its affair.
    env: { ...process.env, NODE_ENV: "production" },
    stdio: "inherit",
  });
}
