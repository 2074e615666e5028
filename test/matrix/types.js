// The published declarations under both current compilers: as ESM and CommonJS, with and without the DOM's and Node's
// types, strict and stricter, and with the declarations themselves checked. consumer/types says what must compile.

import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { consumer } from "./consumer.js";
import { program } from "./installed.js";
import { cell, report } from "./report.js";

const folder = consumer();

/** A folder whose `node` are the types of one of Node's versions. */
function typesOfNode(major) {
  const types = join(folder, `types${major}`);
  mkdirSync(types);
  symlinkSync(
    fileURLToPath(new URL(`node_modules/types-node${major}`, import.meta.url)),
    join(types, "node"),
  );
  return types;
}

/** How modules are resolved, and the files that only this way has. */
const modules = {
  nodenext: ["--module", "nodenext", "user.cts"],
  bundler: ["--module", "esnext", "--moduleResolution", "bundler"],
};

const everywhere = ["layers", "samples", "options", "refused", "tfjs"];
const libraries = {
  "no DOM": ["es2022", everywhere],
  DOM: ["es2022,dom", [...everywhere, "dom"]],
  "web worker": ["es2022,webworker", ["worker"]],
  ...Object.fromEntries(
    [20, 22, 24].map((major) => [
      `Node ${major}'s types`,
      ["es2022", [...everywhere, "node"], "--types", "node", "--typeRoots", typesOfNode(major)],
    ]),
  ),
  stricter: ["es2022", everywhere, "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"],
};

for (const name of ["typescript5", "typescript7"]) {
  const compiler = program(`${name}/bin/tsc`);
  for (const [resolution, how] of Object.entries(modules)) {
    for (const [library, [lib, files, ...options]] of Object.entries(libraries)) {
      const run = async () => {
        await promisify(execFile)(
          compiler.binary,
          // With declarations, because users who export what they get need its types' names.
          [
            ...["--noEmit", "--strict", "--declaration", "--target", "es2022", "--lib", lib],
            ...[...options, ...how, ...files.map((file) => `types/${file}.ts`)],
          ],
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
