// Distributions below each other, a ridge for each column.

import * as Plot from "@observablehq/plot";
import type { Density } from "./density.js";

export interface Ridges {
  readonly label: string;
  readonly names: readonly string[];
  readonly densities: readonly Density[];
  /** As CSS writes it. */
  readonly color: string;
  readonly x: Plot.ScaleOptions;
  /** Letters of a name at most: none of 0. */
  readonly letters: number;
}

/** How far a ridge rises, in rows: over the one above it. */
const RISE = 1.6;

/** Pixels from one ridge to the next. */
const ROW = 26;

/** Letters that stand beside ridges in a figure of this width. */
export const lettersIn = (width: number): number => (width > 320 ? 20 : 16);

export function ridges({ label, names, densities, color, x, letters }: Ridges): Plot.PlotOptions {
  const points = densities.flatMap((density, row) =>
    density.x.map((value, i) => ({ row, value, top: row - RISE * density.y[i] })),
  );
  const outline = { x: "value", z: "row", clip: true } as const;
  return {
    ariaLabel: label,
    height: ROW * (densities.length + RISE) + 40,
    marginLeft: 12 + 6.25 * letters,
    marginRight: 12,
    marginTop: 4,
    marginBottom: 30,
    style: { fontSize: "11px" },
    x: { label: null, ticks: 5, ...x },
    y: { domain: [densities.length - 0.5, -RISE], axis: null },
    marks: [
      Plot.ruleY(densities, { y: (_, row) => row, strokeOpacity: 0.18 }),
      Plot.areaY(points, { ...outline, y1: "row", y2: "top", fill: color, fillOpacity: 0.28 }),
      Plot.lineY(points, { ...outline, y: "top", stroke: color, strokeWidth: 1.25 }),
      letters > 0
        ? Plot.text(names, {
            y: (_, row) => row,
            frameAnchor: "left",
            textAnchor: "end",
            dx: -8,
            dy: -4,
            text: (name: string) => (name.length > letters ? `${name.slice(0, letters - 1)}…` : name),
          })
        : null,
    ],
  };
}
