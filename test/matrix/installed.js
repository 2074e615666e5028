// What is installed beside these scripts, with its version; null where it is missing.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("node_modules/", import.meta.url);

/** A program, by its path in node_modules. */
export function program(path) {
  const binary = fileURLToPath(new URL(path, folder));
  return existsSync(binary) ? { binary, version: versionOf(binary) } : null;
}

/** A package, by its name. */
export function library(name) {
  const manifest = new URL(`${name}/package.json`, folder);
  if (!existsSync(manifest)) return null;
  return { version: JSON.parse(readFileSync(manifest)).version };
}

/** What a program says of itself: "deno 2.9.6 (stable, …)" has version 2.9.6. */
export function versionOf(binary, env = process.env) {
  const stdio = ["ignore", "pipe", "ignore"];
  const text = execFileSync(binary, ["--version"], { env, stdio });
  return String(text).match(/\d[\w.-]*/)[0];
}
