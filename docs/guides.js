// A guide is called what its first line calls it, and stands among its like.

import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { Converter } from "typedoc";

const root = fileURLToPath(new URL("../", import.meta.url));

/** By the folder that a page is in. */
const groups = { docs: "Guides", examples: "Examples" };

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, guide) => {
    const [first] = guide.content;
    const [, title, rest] = first.text.match(/^# ([^\n]+)\n+(.*)$/s);
    const [folder] = relative(root, guide.project.files.getReflectionPath(guide)).split(sep);
    guide.name = title;
    guide.frontmatter.group = groups[folder] ?? "Project";
    first.text = rest;
  });
}
