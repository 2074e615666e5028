// The first picture: wines, drawn once, as they are after standardization. Where a ridge was before is an affine map of
// where it is, and so a transformation in CSS: going there and back costs the page nothing.

import * as Plot from "@observablehq/plot";
import type { Opened, View } from "./distributions-worker.js";
import { element } from "./element.js";
import { type Drawn, Figure } from "./figure.js";
import { lettersIn, ridges } from "./ridges.js";

/** Standard deviations that are shown. */
const DOMAIN = [-4, 4];

/** How long what was before is looked at first, in milliseconds. */
const PAUSE = 900;

export async function showHero({ names, mean, scale }: Opened, { densities }: View): Promise<void> {
  const place = element("hero-figure", HTMLElement);
  const button = element("hero-toggle", HTMLButtonElement);
  const largest = Math.max(...Array.from(mean, (value, j) => value + 3 * scale[j]));
  const [low, high] = DOMAIN;
  /** Where a value of a wine stands on the axis of what is normalized. */
  const placeOf = (value: number) => low + (value / largest) * (high - low);
  const ticks = [0, 500, 1000, 1500].filter((tick) => tick <= largest);
  const axis = {
    frameAnchor: "bottom",
    dy: 16,
    text: (tick: number) => String(tick).replace("-", "−"),
  } as const;

  function plot(width: number): Plot.PlotOptions {
    const shown = ridges({
      label: `The distributions of ${names.join(", ")}: of 178 wines, before and after standardization`,
      names,
      densities,
      color: "var(--batch)",
      x: { domain: DOMAIN, axis: null },
      letters: lettersIn(width),
    });
    const marks = [
      Plot.text(ticks, { ...axis, x: placeOf, className: "axis-before" }),
      Plot.text([-4, -2, 0, 2, 4], { ...axis, x: Plot.identity, className: "axis-after" }),
    ];
    return { ...shown, marks: [...(shown.marks ?? []), ...marks] };
  }

  function finish(svg: Drawn): void {
    const x = svg.scale("x");
    if (!x) return;
    const zero = x.apply(0);
    for (const kind of ["area", "line"]) {
      for (const [j, path] of svg.querySelectorAll<SVGPathElement>(`[data-part=${kind}] path`).entries()) {
        // A value v = z·scale + mean, at place z now, was at placeOf(v).
        const start = x.apply(placeOf(mean[j]));
        const stretch = (x.apply(placeOf(mean[j] + scale[j])) - start) / (x.apply(1) - zero);
        path.style.setProperty("--before", `translateX(${start - stretch * zero}px) scaleX(${stretch})`);
      }
    }
  }

  function toggle(normalized: boolean): void {
    place.classList.toggle("normalized", normalized);
    button.textContent = normalized ? "Show them as they were" : "Normalize them";
  }

  await new Figure(place).draw(plot, finish);
  button.addEventListener("click", () => toggle(!place.classList.contains("normalized")));
  button.disabled = false;
  toggle(false);
  setTimeout(() => toggle(true), PAUSE);
}
