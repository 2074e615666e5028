// The published file in three browser engines: page and module worker, and under content security policies.

import { chromium, firefox, visit, webkit } from "./browser.js";
import { consumer } from "./consumer.js";
import { cell, report } from "./report.js";

const folder = consumer();

const policies = [
  { under: "", expected: "wasm" },
  {
    under: ", CSP with wasm-unsafe-eval",
    policy: "script-src 'self' 'wasm-unsafe-eval'",
    expected: "wasm",
  },
  {
    under: ", CSP without wasm-unsafe-eval",
    policy: "script-src 'self'",
    expected: "javascript",
  },
];
const pages = policies.flatMap(({ under, policy, expected }) =>
  [
    ["page", "plain.js"],
    ["module worker", "spawn.js"],
  ].map(([how, script]) => ({
    under,
    how,
    expected,
    folder,
    policy,
    html: `<!doctype html><script type="module" src="${script}"></script>`,
  })),
);

for (const browser of [chromium, firefox, webkit]) {
  const { name, missing, binary } = browser;
  const { version, backends } = binary ? await visit(browser, pages) : {};
  for (const [i, { under, how, expected }] of pages.entries()) {
    await cell(
      { environment: name + under, version, how, expected, missing },
      backends ? () => backends[i] : null,
    );
  }
}

report("browsers");
