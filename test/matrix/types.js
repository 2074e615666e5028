// The published declarations under both current compilers: as ESM and CommonJS, with and without the DOM's
// and Node's types, and with the declarations themselves checked.

import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { consumer } from "./consumer.js";
import { cell, report } from "./report.js";

const folder = consumer();
const typeRoots = fileURLToPath(
  new URL("../../node_modules/@types", import.meta.url),
);

const modules = {
  nodenext: ["--module", "nodenext", "user.ts", "user.cts"],
  bundler: ["--module", "esnext", "--moduleResolution", "bundler", "user.ts"],
};
const libraries = {
  "no DOM": ["--lib", "es2022"],
  DOM: ["--lib", "es2022,dom"],
  "Node's types": [
    "--lib",
    "es2022",
    "--types",
    "node",
    "--typeRoots",
    typeRoots,
  ],
};

for (const name of ["typescript5", "typescript7"]) {
  const binary = fileURLToPath(
    new URL(`node_modules/${name}/bin/tsc`, import.meta.url),
  );
  const found = existsSync(binary);
  const version = found
    ? execFileSync(binary, ["--version"], { encoding: "utf8" }).match(
        /\d[\w.-]*/,
      )[0]
    : "";
  for (const [resolution, files] of Object.entries(modules)) {
    for (const [library, options] of Object.entries(libraries)) {
      const run = async () => {
        await promisify(execFile)(
          binary,
          ["--noEmit", "--strict", "--target", "es2022", ...options, ...files],
          { cwd: folder },
        );
        return "compiles";
      };
      await cell(
        {
          environment: `TypeScript, ${resolution}`,
          version,
          how: library,
          expected: "compiles",
          missing: name,
        },
        found ? run : null,
      );
    }
  }
}

report("types");
