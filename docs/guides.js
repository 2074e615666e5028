// A guide is called what its first line calls it, and stands among its like; a link to what stands beside the
// documentation leads there from every page.

import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { Converter, PageEvent } from "typedoc";

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
  // What `import "simdnorm"` has stands at the top, what another entry has in a module named after it.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const main = project.getChildByName(["index"]);
    if (main) project.mergeReflections(main, project);
  });
  app.renderer.on(PageEvent.END, (page) => {
    const up = "../".repeat(page.url.split("/").length - 1);
    for (const link of Object.values(app.options.getValue("sidebarLinks"))) {
      page.contents = page.contents?.replaceAll(`href="${link}"`, `href="${up}${link}"`);
    }
  });
}
