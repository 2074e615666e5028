// Every code block of the README, the guides and the examples' READMEs is run as it stands: JavaScript and TypeScript
// in a process of its own, which finds the package by its name, in a folder with the files that blocks of the same page
// name. What comments claim is compared. TypeScript is checked against the package's declarations. Of a shell block
// every script and program exists, and what takes a second or two is run.
//
// A block that needs another package says so in its first line, and runs where an example has it installed: .ci/images
// comes back here with its own.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { agrees, type Block, blocksOf, instrumented } from "./blocks.js";

const root = new URL("../../", import.meta.url);
const inRoot = (path: string) => fileURLToPath(new URL(path, root));

const folders = readdirSync(inRoot("examples")).map((name) => `examples/${name}/`);
const pages = [
  ...["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"],
  ...readdirSync(inRoot("docs")).map((name) => `docs/${name}`),
  ...folders.map((folder) => `${folder}README.md`),
].filter((path) => path.endsWith(".md") && existsSync(inRoot(path)));
const programs = pages.flatMap((page) => blocksOf(root, page));

const manifest = (folder: string) => {
  const path = inRoot(`${folder}package.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
};

/** The example that a block's package is a dependency of. */
function exampleWith(needed: string): string {
  const found = folders.find((folder) => needed in (manifest(folder).dependencies ?? {}));
  if (found === undefined) throw new Error(`${needed}: expected an example that installs it, got none`);
  return found;
}

/** Where the blocks of a page run. */
const folderOf = ({ file, needs }: Block) =>
  `${needs === undefined ? "" : exampleWith(needs)}build/blocks/${file.replaceAll("/", "-")}/`;

/** Runs a block, and returns what it claims beside what it gave. */
async function run(block: Block, i: number): Promise<{ expected: string; got: string }[]> {
  const { program, expected } = instrumented(block);
  const path = `${folderOf(block)}block-${i}.mjs`;
  writeFileSync(inRoot(path), program);
  const child = spawn(process.execPath, [inRoot(path)], {
    cwd: inRoot(folderOf(block)),
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  const [errors, said, [status]] = await Promise.all([
    text(child.stderr!),
    text(child.stdio[3] as NodeJS.ReadableStream),
    once(child, "close"),
  ]);
  if (status !== 0) throw new Error(`${block.at}: status ${status}\n${errors}`);
  const got = new Map<number, string>(
    said
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line)),
  );
  return expected.map((text, j) => ({ expected: text, got: got.get(j) ?? "nothing" }));
}

/** What a shell block calls, and whether that is there. */
function missingOf(block: Block): string[] {
  const commands = block.code
    .split("\n")
    .flatMap((line) => line.replace(/#.*/, "").split("&&"))
    .map((command) => command.trim())
    .filter((command) => command !== "");
  return commands.filter((command) => {
    const [program, ...args] = command.split(/\s+/);
    const prefix = args.indexOf("--prefix");
    const folder = prefix < 0 ? "" : `${args[prefix + 1]}/`;
    const { scripts = {} } = manifest(folder);
    if (program === "node") return !existsSync(inRoot(args[0]!));
    if (program === "npx") return !existsSync(inRoot(`node_modules/.bin/${args[0]}`));
    if (program !== "npm") return !["git", "cd", "mkdir", "curl"].includes(program!);
    if (args[0] === "run") return !(args[1]! in scripts);
    if (args[0] === "start" || args[0] === "test") return !(args[0] in scripts);
    if (args[0] === "cit") return !("test" in scripts);
    return !["ci", "install", "pack", "init"].includes(args[0]!);
  });
}

describe("what is compared", () => {
  const block = (code: string): Block => ({
    ...{ at: "here:1", file: "here.md", language: "js", name: undefined, needs: undefined },
    code,
  });

  test.each([
    ["Float32Array(2) [ 1.23456, -0.00001 ]", "1.235 0.000", true],
    ["Float32Array(2) [ 1.23456, 2 ]", "1.234 2", false],
    ["[ [ 1, 2 ], [ 3, NaN ] ]", "[[1, 2], [3, NaN]]", true],
    ["1 2", "1", false],
    ["1 2", "1 …", true],
    ["1", "1 2", false],
    ["RangeError: x", "RangeError: y", false],
  ])("%s, of which %s is said: %s", (got, said, same) => {
    expect(agrees(got, said)).toBe(same);
  });

  test.each([
    ["const a = 1; // → 1\na + 1;\n// → 2\n//   3\n", ["1", "2    3"]],
    ["f(); // throws TypeError: no\n// an aside\n", ["TypeError: no"]],
  ])("claims of %j", (code, expected) => {
    expect(instrumented(block(code)).expected).toEqual(expected);
  });

  test.each([
    ["{\n  a; // → 1\n}\n", "behind a statement of the block, got 0 of 1"],
    ["const [a, b] = [1, 2]; // → 1\n", "an expression, or the declaration of one name"],
  ])("%j claims what cannot be compared", (code, message) => {
    expect(() => instrumented(block(code))).toThrow(message);
  });

  test("a wrong claim is found", async () => {
    const wrong = { ...block("const a = 1; // → 2\n[a].at(1); // → undefined\n"), file: "wrong" };
    mkdirSync(inRoot(folderOf(wrong)), { recursive: true });
    expect(await run(wrong, 0)).toEqual([
      { expected: "2", got: "1" },
      { expected: "undefined", got: "undefined" },
    ]);
  });
});

describe.concurrent.each([...new Set(programs.map(({ file }) => file))])("%s", (page) => {
  const blocks = programs.filter(({ file }) => file === page);
  const installed = ({ needs }: Block) =>
    needs === undefined || existsSync(inRoot(`${exampleWith(needs)}node_modules/${needs}`));

  beforeAll(() => {
    for (const folder of new Set(blocks.filter(installed).map(folderOf))) {
      rmSync(inRoot(folder), { recursive: true, force: true });
      mkdirSync(inRoot(folder), { recursive: true });
      for (const { name, code } of blocks) if (name !== undefined) writeFileSync(inRoot(folder + name), code);
    }
  });

  for (const [i, block] of blocks.entries()) {
    const { at, language, needs } = block;
    if (language === "js" || language === "ts") {
      const title = needs === undefined ? at : `${at}, which needs ${needs} (${exampleWith(needs)})`;
      test.skipIf(!installed(block))(title, async ({ expect }) => {
        for (const { expected, got } of await run(block, i)) {
          if (!agrees(got, expected)) expect.soft(got, at).toBe(expected);
        }
      });
    } else if (language === "sh") {
      test(at, () => {
        expect(missingOf(block)).toEqual([]);
      });
    } else {
      test(`${at} is data, or in another language`, () => {
        expect(["csv", "json", "python", "html", "text"]).toContain(language);
      });
    }
  }
});

test("TypeScript blocks fit the declarations", () => {
  const folder = "build/blocks/types/";
  rmSync(inRoot(folder), { recursive: true, force: true });
  mkdirSync(inRoot(folder), { recursive: true });
  const files = programs
    .filter(({ language, needs }) => language === "ts" && needs === undefined)
    .map(({ at, code }) => {
      const path = inRoot(`${folder}${at.replaceAll(/[/:]/g, "-")}.mts`);
      writeFileSync(path, code);
      return path;
    });
  expect(files).not.toEqual([]);
  const program = ts.createProgram(files, {
    ...{
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ["node"],
      typeRoots: [inRoot("node_modules/@types")],
    },
    ...{ target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext },
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"],
  });
  const found = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${file?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
  expect(found).toEqual([]);
});

// The programs that shell blocks name and that need nothing installed; the others are run by .ci/run: npm start and
// npm cit, .ci/tables and .ci/images their examples, .ci/matrix the tarball and the installation from git.
test.each(["image", "scaler", "workers"])("node examples/%s.js", (name) => {
  const output = execFileSync(process.execPath, [`examples/${name}.js`], {
    cwd: inRoot("."),
    encoding: "utf8",
  });
  expect(output).not.toBe("");
});
