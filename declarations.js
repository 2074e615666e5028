// Finishes the declarations in build/: what their generator cannot write itself.

import { readFileSync, writeFileSync } from "node:fs";

// Symbol.dispose, for users whose `lib` is older than it.
const types = `/// <reference lib="esnext.disposable" />\n${readFileSync("build/index.d.ts", "utf8")}`;
writeFileSync("build/index.d.ts", types);
writeFileSync("build/index.d.cts", types);

// Not generated: its own copies of the classes would be other types than those of the main entry.
writeFileSync("build/edge.d.ts", 'export * from "./index.js";\n');
