// A plot in a place of the page, drawn again when the place becomes wider or narrower.

import * as Plot from "@observablehq/plot";

export type Drawn = SVGSVGElement & Plot.Plot;

const NARROWEST = 200;

export class Figure {
  readonly #place: Element;
  #plot: ((width: number) => Plot.PlotOptions) | undefined;
  #finish: (svg: Drawn) => void = () => {};
  #width = 0;

  constructor(place: Element) {
    this.#place = place;
    new ResizeObserver(() => {
      if (place.clientWidth !== this.#width) this.#render();
    }).observe(place);
  }

  /** Draws, or draws anew: `plot` is given the width that there is, `finish` what was drawn. */
  draw(plot: (width: number) => Plot.PlotOptions, finish?: (svg: Drawn) => void): void {
    this.#plot = plot;
    if (finish) this.#finish = finish;
    this.#render();
  }

  #render(): void {
    this.#width = this.#place.clientWidth;
    if (!this.#plot || this.#width === 0) return;
    // Before styles apply a place may be narrower than margins are.
    const width = Math.max(this.#width, NARROWEST);
    const svg = Plot.plot({ className: "plot", ...this.#plot(width), width });
    if (!isPicture(svg)) throw new TypeError("expected a plot without a legend and a title");
    // Its style sheet stands in page.css: inline ones are forbidden where style-src is 'self'.
    svg.querySelector("style")?.remove();
    svg.setAttribute("role", "img");
    // A picture has one label; those that Plot gives to its parts become names to find them by.
    for (const part of svg.querySelectorAll<SVGGElement>("g[aria-label]")) {
      part.dataset.part = part.getAttribute("aria-label") ?? "";
      part.removeAttribute("aria-label");
    }
    this.#place.replaceChildren(svg);
    this.#finish(svg);
  }
}

function isPicture(element: Element & Plot.Plot): element is Drawn {
  return element instanceof SVGSVGElement;
}
