// Real browsers without a driver: they are started on pages that post back which backend ran.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { versionOf } from "./installed.js";

/** Longer than the slowest first start of a browser on a busy machine. */
const PATIENCE = 60_000;

const TYPES = { ".css": "text/css", ".html": "text/html", ".js": "text/javascript" };

function first(...places) {
  return places.find((place) => place !== undefined && existsSync(place));
}

export const chromium = {
  name: "Chromium",
  missing: "chromium",
  binary: first(process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"),
  args: (profile) => ["--headless", "--no-sandbox", "--no-first-run", `--user-data-dir=${profile}`],
};
export const firefox = {
  name: "Firefox",
  missing: "firefox-esr",
  binary: first(process.env.FIREFOX, "/usr/bin/firefox-esr", "/usr/bin/firefox"),
  args: (profile) => ["--headless", "--no-remote", "--profile", profile],
};
export const webkit = {
  name: "WebKitGTK",
  missing: "libwebkit2gtk (its MiniBrowser) or xvfb",
  binary:
    first("/usr/bin/Xvfb") &&
    first(
      process.env.WEBKIT,
      "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
      "/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
    ),
  args: () => [],
  windowed: true,
};

/** A display of its own for browsers that cannot run without a window. */
async function display() {
  const server = spawn("Xvfb", ["-displayfd", "3", "-nolisten", "tcp", "-noreset"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  process.on("exit", () => server.kill());
  server.unref();
  const [number] = await once(createInterface(server.stdio[3]), "line");
  server.stdio[3].unref();
  return `:${number}`;
}

/** Serves a folder, whose pages may post once to say which backend ran. */
async function serve({ folder, html, policy }) {
  let post;
  const posted = new Promise((resolve) => {
    post = resolve;
  });
  const server = createServer(async (request, response) => {
    if (policy) response.setHeader("Content-Security-Policy", policy);
    if (request.method === "POST") {
      post(await text(request));
      response.end();
      return;
    }
    const path = request.url === "/" ? "index.html" : request.url.slice(1);
    const file = join(folder, path);
    response.setHeader("Content-Type", TYPES[extname(path)] ?? "application/octet-stream");
    if (path === "index.html" && html) response.end(html);
    else if (existsSync(file)) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  return { posted, url: `http://127.0.0.1:${server.address().port}/` };
}

/**
 * Opens all pages at once, each in a frame with its own origin and policy.
 *
 * @returns the browser's version, and what every page posted
 */
export async function visit({ binary, args, windowed }, pages) {
  const sites = await Promise.all(pages.map(serve));
  const frames = sites.map(({ url }) => `<iframe src="${url}"></iframe>`);
  const main = await serve({
    folder: ".",
    html: `<!doctype html>${frames.join("")}`,
  });

  const profile = mkdtempSync(join(tmpdir(), "browser-"));
  const env = { ...process.env, HOME: profile };
  if (windowed) env.DISPLAY = await display();
  const version = versionOf(binary, env);
  const child = spawn(binary, [...args(profile), main.url], {
    detached: true,
    env,
    stdio: "ignore",
  });
  const ended = once(child, "exit");

  const over = new AbortController();
  const silence = setTimeout(PATIENCE, `no answer in ${PATIENCE / 1000} s`, over).catch(() => {});
  const crash = ended.then(() => "the end of the browser");
  const backends = await Promise.all(sites.map(({ posted }) => Promise.race([posted, silence, crash])));
  over.abort();

  // The whole group: browsers are many processes.
  if (child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  await ended;
  rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  return { version, backends };
}
