// A plot in a place of the page, drawn again when the place becomes wider or narrower.

import * as Plot from "@observablehq/plot";
import { pause } from "./pause.js";

export type Drawn = SVGSVGElement & Plot.Plot;

const NARROWEST = 200;

/** Ends when all figures are drawn that were to be. */
let drawing = Promise.resolve();

export class Figure {
  readonly #place: Element;
  #plot: ((width: number) => Plot.PlotOptions) | undefined;
  #finish: (svg: Drawn) => void = () => {};
  #width = 0;
  /** Ends when this one is drawn; undefined where it does not wait to be. */
  #drawing: Promise<void> | undefined;

  constructor(place: Element) {
    this.#place = place;
    new ResizeObserver(() => {
      if (place.clientWidth !== this.#width) this.#draw();
    }).observe(place);
  }

  /** Draws, or draws anew: `plot` is given the width that there is, `finish` what was drawn. */
  draw(plot: (width: number) => Plot.PlotOptions, finish?: (svg: Drawn) => void): Promise<void> {
    this.#plot = plot;
    if (finish) this.#finish = finish;
    return this.#draw();
  }

  /** After the figures that wait already, and in a task of its own: several in one would hold up the visitor. */
  #draw(): Promise<void> {
    if (this.#drawing) return this.#drawing;
    this.#drawing = drawing.then(pause).then(() => {
      this.#drawing = undefined;
      this.#render();
    });
    drawing = this.#drawing.catch(() => {});
    return this.#drawing;
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
