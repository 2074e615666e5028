// speed.svg: nanoseconds per element on every shape, readable in light and dark.

import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** What is drawn, from the bound to the baseline. The colors stand out on white and on near-black. */
const series = [
  { name: "y = x·c, the bound", symbol: "times", color: "#8b949e" },
  { name: "simdnorm, Tensor", symbol: "circle", color: "#3b82f6" },
  { name: "simdnorm, Float32Array", symbol: "diamond2", color: "#2da44e" },
  { name: "tuned JavaScript", symbol: "square2", color: "#e5534b" },
];

/** A call on fewer values costs what a call costs, whatever their number: it would only stretch the scale. */
const SMALLEST = 1000;

const titles = { infer: "inference", train: "training" };

const style = `
svg { color: #1f2328; }
@media (prefers-color-scheme: dark) { svg { color: #e6edf3; } }`;

/** Inference and training in place, as an SVG document. */
export function draw(results, machine) {
  const { document } = parseHTML("<html></html>");
  const points = results
    .filter(({ place, operation, length }) => place === "in place" && titles[operation] && length >= SMALLEST)
    .flatMap(({ shape, operation, memory, nanoseconds, probe, tuned }) => {
      const [bound, tensor, array, javascript] = series.map(({ name }) => ({
        shape,
        operation: titles[operation],
        name,
      }));
      if (memory === "staged") return [{ ...array, nanoseconds }];
      if (memory !== "resident") return [];
      return [
        { ...javascript, nanoseconds: tuned },
        { ...tensor, nanoseconds },
        { ...bound, nanoseconds: probe },
      ];
    });

  const all = points.map(({ nanoseconds }) => nanoseconds);
  const domain = [Math.min(...all) / 1.2, Math.max(...all) * 1.2];

  // Legend and caption stand beside the facets, not in each of them.
  const aside = { facet: "super", textAnchor: "start" };
  const legend = series.flatMap(({ name, symbol, color }, i) => [
    Plot.dot([name], {
      ...aside,
      frameAnchor: "top-left",
      dx: 6 + 190 * i,
      dy: -50,
      symbol,
      fill: color,
      stroke: color,
      r: 4.5,
    }),
    Plot.text([name], {
      ...aside,
      frameAnchor: "top-left",
      lineAnchor: "middle",
      dx: 18 + 190 * i,
      dy: -50,
    }),
  ]);
  const svg = Plot.plot({
    document,
    width: 960,
    height: 600,
    marginTop: 70,
    marginRight: 20,
    marginBottom: 60,
    marginLeft: 190,
    style: { fontSize: "13px" },
    x: {
      type: "log",
      label: null,
      grid: true,
      domain,
      ticks: [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10].filter((tick) => tick >= domain[0] && tick <= domain[1]),
      tickFormat: "~g",
    },
    y: {
      type: "point",
      domain: [...new Set(points.map(({ shape }) => shape))],
      label: null,
      tickSize: 0,
    },
    fx: { domain: Object.values(titles), label: null, padding: 0.06 },
    symbol: {
      domain: series.map(({ name }) => name),
      range: series.map(({ symbol }) => symbol),
    },
    color: {
      domain: series.map(({ name }) => name),
      range: series.map(({ color }) => color),
    },
    marks: [
      Plot.ruleY(
        points,
        Plot.groupY(
          { x1: "min", x2: "max" },
          {
            x1: "nanoseconds",
            x2: "nanoseconds",
            y: "shape",
            fx: "operation",
            strokeOpacity: 0.25,
          },
        ),
      ),
      Plot.dot(points, {
        x: "nanoseconds",
        y: "shape",
        fx: "operation",
        fill: "name",
        stroke: "name",
        symbol: "name",
        r: 4.5,
      }),
      legend,
      Plot.text([`nanoseconds per element in place, logarithmic, less is better (${machine})`], {
        ...aside,
        frameAnchor: "bottom-left",
        dy: 48,
      }),
    ],
  });
  const sheet = document.createElement("style");
  sheet.textContent = style;
  svg.prepend(sheet);
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
}
