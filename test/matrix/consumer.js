// A user's project in a temporary folder: the files of consumer/, and the packed package installed.

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

function npm(folder, ...args) {
  return execFileSync("npm", args, {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

/** Makes the project and returns its folder, which is gone when the process ends. */
export function consumer() {
  const folder = mkdtempSync(join(tmpdir(), "simdnorm-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(root, "test/matrix/consumer"), folder, { recursive: true });
  const tarball = npm(root, "pack", "--silent", "--pack-destination", folder);
  npm(folder, "install", "--silent", "--offline", `./${tarball}`);
  return folder;
}
