// A user's project in a temporary folder: the files of consumer/ or programs/, and the package installed.

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

function npm(folder, ...args) {
  return execFileSync("npm", args, {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

/** Makes the project and returns its folder, which is gone when the process ends. Installs what is built, packed. */
export function consumer(files = "consumer") {
  const folder = project(files);
  npm(folder, "install", "--silent", "--offline", pack(folder));
  return folder;
}

/** The same, installed from the latest commit: npm clones it and runs its `prepare`. */
export function consumerOfCommit() {
  const folder = project("consumer");
  const commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
  npm(folder, "install", "--silent", `git+file://${root}#${commit}`);
  return folder;
}

function project(files) {
  const folder = mkdtempSync(join(tmpdir(), "simdnorm-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(root, "test/matrix", files), folder, { recursive: true });
  return folder;
}

/** Packs what is in build/ into a folder; the tarball's path. */
export function pack(folder) {
  return join(folder, npm(root, "pack", "--silent", "--ignore-scripts", "--pack-destination", folder));
}
