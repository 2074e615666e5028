// What a command writes into a page stands between two comments, <!-- name --> and <!-- /name -->.

import { readFileSync, writeFileSync } from "node:fs";

/** Replaces what stands between a page's comments of this name. */
export function mark(page, name, text) {
  const before = readFileSync(page, "utf8");
  const marked = new RegExp(`(<!-- ${name} -->).*(<!-- /${name} -->)`, "s");
  if (!marked.test(before))
    throw new Error(`${page}: expected <!-- ${name} --> … <!-- /${name} -->, got none`);
  writeFileSync(
    page,
    before.replace(marked, (_, from, to) => `${from}\n\n${text}\n\n${to}`),
  );
}
