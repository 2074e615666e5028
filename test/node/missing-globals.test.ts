// Where globals are missing or frozen: the import succeeds, and every kind of call returns the same bits as where
// nothing is missing. In processes of their own, because what is taken away does not come back.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";

const program = fileURLToPath(new URL("battery.js", import.meta.url));

async function run(...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...args]);
  expect(stderr).toBe("");
  return stdout;
}

const expected = { wasm: "", javascript: "" };

beforeAll(async () => {
  for (const backend of ["wasm", "javascript"] as const) {
    expected[backend] = await run("", backend);
    expect(expected[backend]).toContain(`{"backend":"${backend}","layer":[["-0.97`);
  }
});

describe("without", () => {
  test.each([
    ...["FinalizationRegistry", "WeakRef", "atob", "navigator", "Symbol.dispose", "SharedArrayBuffer"],
    ...["structuredClone", "TextDecoder", "process"],
  ])("%s", async (name) => {
    expect(await run(name)).toBe(expected.wasm);
  });

  test.each(["WebAssembly", "all"])("%s, in JavaScript", async (name) => {
    expect(await run(name)).toBe(expected.javascript);
  });
});

test.each(["frozen intrinsics", "frozen globalThis"])("with %s", async (state) => {
  expect(await run(state)).toBe(expected.wasm);
});
