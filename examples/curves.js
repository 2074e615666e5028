// digits.svg: test accuracy against epoch, a panel per learning rate, readable in light and dark.

import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

const colors = { plain: "#e5534b", "batch norm": "#3b82f6" };

const style = `
svg { color: #1f2328; }
@media (prefers-color-scheme: dark) { svg { color: #e6edf3; } }`;

/** Every run thin, the mean of each group bold, as an SVG document. */
export function draw(groups) {
  const { document } = parseHTML("<html></html>");
  const panel = (rate) => `learning rate ${rate}`;
  const points = (accuracy, kind, rate, seed) =>
    accuracy.map((value, i) => ({ epoch: i + 1, percent: 100 * value, kind, seed, panel: panel(rate) }));
  const each = groups.flatMap(({ rate, kind, runs }) =>
    runs.flatMap((accuracy, seed) => points(accuracy, kind, rate, seed)),
  );
  const means = groups.flatMap(({ rate, kind, runs }) => {
    const mean = runs[0].map((_, i) => runs.reduce((sum, accuracy) => sum + accuracy[i], 0) / runs.length);
    return points(mean, kind, rate);
  });

  const axes = { x: "epoch", y: "percent", fx: "panel", stroke: "kind" };
  const aside = { facet: "super", textAnchor: "start", frameAnchor: "top-left", lineAnchor: "middle" };
  const legend = Object.keys(colors).map((kind, i) =>
    Plot.text([kind], { ...aside, dx: 110 * i, dy: -52, fill: colors[kind], fontWeight: "bold" }),
  );
  const svg = Plot.plot({
    document,
    width: 960,
    height: 420,
    marginTop: 70,
    marginRight: 20,
    marginBottom: 50,
    marginLeft: 50,
    style: { fontSize: "13px" },
    x: {
      label: "epoch",
      labelAnchor: "center",
      labelArrow: "none",
      ticks: 5,
      domain: [0, groups[0].runs[0].length],
    },
    y: { label: null, grid: true, domain: [0, 100] },
    fx: { domain: [...new Set(groups.map(({ rate }) => panel(rate)))], label: null, padding: 0.06 },
    color: { domain: Object.keys(colors), range: Object.values(colors) },
    marks: [
      Plot.line(each, {
        ...axes,
        z: ({ kind, seed }) => `${kind} ${seed}`,
        strokeWidth: 1,
        strokeOpacity: 0.35,
      }),
      Plot.line(means, { ...axes, strokeWidth: 2.5 }),
      legend,
      Plot.text([`test accuracy in %, the mean of ${groups[0].runs.length} seeds and each of them`], {
        ...aside,
        dx: 230,
        dy: -52,
      }),
    ],
  });
  const sheet = document.createElement("style");
  sheet.textContent = style;
  svg.prepend(sheet);
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
}
