// The page of examples/playground in three browser engines: it draws what it opens with, and nothing complains.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium, firefox, visit, webkit } from "./browser.js";
import { cell, report } from "./report.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const vite = ["node_modules/vite/bin/vite.js", "build", "--config", "examples/playground/vite.config.ts"];
execFileSync(process.execPath, [...vite, "--logLevel", "warn"], { cwd: root, stdio: "inherit" });

/** Runs before the page, and posts what it did. */
function probe() {
  const complaints = [];
  addEventListener("error", ({ message }) => complaints.push(message));
  addEventListener("unhandledrejection", ({ reason }) => complaints.push(String(reason)));
  console.error = (...all) => complaints.push(all.join(" "));
  const timer = setInterval(() => {
    const pictures = document.querySelectorAll("#hero svg, .panels svg").length;
    const last = document.querySelector("#picture-status")?.textContent;
    if (complaints.length === 0 && (pictures < 5 || !last)) return;
    clearInterval(timer);
    const done = `${document.querySelector("#backend").textContent}, ${pictures} pictures`;
    fetch("/", { method: "POST", body: complaints.join("; ") || done });
  }, 100);
}

const folder = `${root}build/site`;
const page = readFileSync(`${folder}/index.html`, "utf8");
const html = page.replace("<head>", `<head><script>(${probe})()</script>`);
const expected = "WebAssembly SIMD kernels, 5 pictures";

for (const browser of [chromium, firefox, webkit]) {
  const { name, missing, binary } = browser;
  const { version, backends } = binary ? await visit(browser, [{ folder, html }]) : {};
  await cell(
    { environment: name, version, how: "the page", expected, missing },
    backends ? () => backends[0] : null,
  );
}

report("page");
