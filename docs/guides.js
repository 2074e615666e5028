// A guide is called what its first line calls it, and stands before the classes.

import { Converter } from "typedoc";

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, guide) => {
    const [first] = guide.content;
    const [, title, rest] = first.text.match(/^# ([^\n]+)\n+(.*)$/s);
    guide.name = title;
    guide.frontmatter.group = "Guides";
    first.text = rest;
  });
}
