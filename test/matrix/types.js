// The published declarations under both current compilers: as ESM and CommonJS, with and without the DOM's
// and Node's types, and with the declarations themselves checked.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { consumer } from "./consumer.js";
import { program } from "./installed.js";
import { cell, report } from "./report.js";

const folder = consumer();
const typeRoots = fileURLToPath(new URL("../../node_modules/@types", import.meta.url));

const modules = {
  nodenext: ["--module", "nodenext", "user.ts", "user.cts"],
  bundler: ["--module", "esnext", "--moduleResolution", "bundler", "user.ts"],
};
const libraries = {
  "no DOM": ["--lib", "es2022"],
  DOM: ["--lib", "es2022,dom"],
  "Node's types": ["--lib", "es2022", "--types", "node", "--typeRoots", typeRoots],
};

for (const name of ["typescript5", "typescript7"]) {
  const compiler = program(`${name}/bin/tsc`);
  for (const [resolution, files] of Object.entries(modules)) {
    for (const [library, options] of Object.entries(libraries)) {
      const run = async () => {
        await promisify(execFile)(
          compiler.binary,
          ["--noEmit", "--strict", "--target", "es2022", ...options, ...files],
          { cwd: folder },
        );
        return "compiles";
      };
      await cell(
        {
          environment: `TypeScript, ${resolution}`,
          version: compiler?.version,
          how: library,
          expected: "compiles",
          missing: name,
        },
        compiler && run,
      );
    }
  }
}

report("types");
