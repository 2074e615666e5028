// The list of mutations stays with the source: each stands in its file once, and names tests that exist.

import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

type Mutation = [file: string, before: string, after: string, tests: string[]];

const list = "../mutations/list.js";
const { mutations }: { mutations: Mutation[] } = await import(list);
const root = new URL("../../", import.meta.url);

test.each(mutations)("%s: %s", (file, before, after, tests) => {
  const parts = readFileSync(new URL(file, root), "utf8").split(before);
  expect(parts).toHaveLength(2);
  expect(after).not.toBe(before);
  if (tests[0].startsWith("equivalent: ")) expect(tests).toHaveLength(1);
  else for (const path of tests) expect(existsSync(new URL(path, root)), path).toBe(true);
});
