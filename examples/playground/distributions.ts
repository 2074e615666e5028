// See it: the columns of a table, before and after they are normalized.

import { type Remote, wrap } from "comlink";
import digits from "../data/digits.csv?url";
import wine from "../data/wine.csv?url";
import type { Density } from "./density.js";
import type { Distributions, Method, Opened, Parameters, View } from "./distributions-worker.js";
import { control, element, whenChosen } from "./element.js";
import { Figure } from "./figure.js";
import { duration, many, raised } from "./number.js";
import { lettersIn, ridges } from "./ridges.js";

/** Ridges on one sheet. */
const SHEET = 16;

const methods: Record<Method, { title: string; color: string; domain?: [number, number] }> = {
  before: { title: "As it is", color: "var(--before)" },
  batch: { title: "Batch normalization", color: "var(--batch)", domain: [-6, 6] },
  standard: { title: "Standardization", color: "var(--standard)", domain: [-6, 6] },
  range: { title: "Min–max", color: "var(--range)", domain: [-0.15, 1.15] },
};
const all = Object.keys(methods) as Method[];

/** Ticks of a logarithmic axis that has both signs and 0: every second or third power of ten, so that they stand apart. */
function decades(densities: readonly Density[]): number[] {
  const shown = densities.flatMap(({ x }) => x);
  const [least, most] = [Math.min(...shown), Math.max(...shown)];
  const powers = Array.from({ length: 300 }, (_, i) => 10 ** (i + 1));
  const ticks = [0, ...powers.flatMap((tick) => [-tick, tick])].filter(
    (tick) => tick >= least && tick <= most,
  );
  const step = Math.ceil(ticks.length / 6);
  return ticks.filter((tick) => Math.log10(Math.abs(tick) || 1) % step === 0);
}

/** The first of some names. */
const listed = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} others` : names.join(", ");

export class DistributionsSection {
  readonly #worker: Remote<Distributions> = wrap(
    new Worker(new URL("./distributions-worker.ts", import.meta.url), { type: "module" }),
  );
  readonly #figures: Record<Method, Figure>;
  readonly #status = element("see-status", HTMLElement);
  readonly #columns = element("see-columns", HTMLSelectElement);
  #opened: Opened | undefined;
  #first = 0;
  #name = "wine";
  /** What waits to be drawn, while the worker works. */
  #waiting = new Set<Method>();
  #working = false;

  constructor() {
    this.#figures = Object.fromEntries(
      all.map((method) => [method, new Figure(element(`see-${method}`, HTMLElement))]),
    ) as Record<Method, Figure>;

    for (const name of ["gamma", "beta", "epsilon"]) {
      const slider = control(name);
      const show = () => {
        element(`${name}-value`, HTMLOutputElement).value = this.#shown(name as keyof Parameters);
      };
      slider.addEventListener("input", () => {
        show();
        this.#redraw("batch");
      });
      show();
    }
    whenChosen("see-data", (value) => {
      if (value === "million") this.open("generated", () => this.#worker.generate(1_000_000));
      else if (value === "digits")
        this.open("digits", () => this.#worker.open(new URL(digits, location.href).href, "digit"));
      else this.wine();
    });
    this.#columns.addEventListener("change", () => {
      this.#first = Number(this.#columns.value);
      this.#redraw(...all);
    });
    element("see-save", HTMLButtonElement).addEventListener("click", () => this.#save());
    this.#receive();
  }

  /** What runs there, and so here: compiling it in the worker alone leaves this thread to the visitor. */
  backend(): Promise<"wasm" | "javascript"> {
    return this.#worker.backend();
  }

  /** The table that the page opens with. */
  wine(): Promise<void> {
    return this.open("wine", () => this.#worker.open(new URL(wine, location.href).href, "cultivar"));
  }

  /** A table that was opened, and its distributions in one form. */
  view(method: Method): Promise<View> {
    return this.#worker.view(method, this.#parameters(), 0, SHEET);
  }

  get opened(): Opened | undefined {
    return this.#opened;
  }

  async open(name: string, opening: () => Promise<Opened>): Promise<void> {
    this.#status.textContent = `Opening ${name} …`;
    this.#status.classList.remove("error");
    try {
      this.#opened = await opening();
    } catch (error) {
      const left = this.#opened ? ` Below is still ${this.#name}.` : "";
      this.#status.textContent = `${name}: ${error instanceof Error ? error.message : error}.${left}`;
      this.#status.classList.add("error");
      return;
    }
    this.#name = name;
    this.#first = 0;
    const { names } = this.#opened;
    const sheets = Array.from({ length: Math.ceil(names.length / SHEET) }, (_, i) => SHEET * i);
    this.#columns.replaceChildren(
      ...sheets.map((first) => {
        const last = Math.min(first + SHEET, names.length);
        return new Option(`${names[first]} to ${names[last - 1]}`, String(first));
      }),
    );
    this.#columns.disabled = sheets.length === 1;
    await this.#redraw(...all);
  }

  #parameters(): Parameters {
    const { gamma, beta, epsilon } = {
      gamma: control("gamma"),
      beta: control("beta"),
      epsilon: control("epsilon"),
    };
    return {
      gamma: gamma.valueAsNumber,
      beta: beta.valueAsNumber,
      epsilon: 10 ** epsilon.valueAsNumber,
    };
  }

  #shown(name: keyof Parameters): string {
    const value = control(name).valueAsNumber;
    return name === "epsilon" ? `10${raised(value)}` : value.toFixed(2);
  }

  /** Draws again; what is asked for while the worker works is drawn once, as it is then. */
  async #redraw(...which: Method[]): Promise<void> {
    for (const method of which) this.#waiting.add(method);
    if (this.#working) return;
    this.#working = true;
    let milliseconds = 0;
    try {
      for (const method of this.#waiting) {
        this.#waiting.delete(method);
        const view = await this.#worker.view(method, this.#parameters(), this.#first, SHEET);
        await this.#draw(method, view);
        if (method === "batch") milliseconds = view.milliseconds;
      }
      this.#report(milliseconds);
    } catch (error) {
      this.#status.textContent = `${error instanceof Error ? error.message : error}`;
      this.#status.classList.add("error");
    } finally {
      this.#working = false;
    }
  }

  #draw(method: Method, { densities }: View): Promise<void> {
    const { title, color, domain } = methods[method];
    const names = this.#opened!.names.slice(this.#first, this.#first + SHEET);
    return this.#figures[method].draw((width) =>
      ridges({
        label: `${title}: the distributions of ${names.join(", ")}`,
        names,
        densities,
        color,
        x: domain ? { domain } : { type: "symlog", ticks: decades(densities) },
        // Beside each other the first has them for all.
        letters: method === "before" || width > 280 ? lettersIn(width) : 0,
      }),
    );
  }

  #report(milliseconds: number): void {
    const { names, rows, gaps, others } = this.#opened!;
    const parts = [
      `${many(rows, "row")} × ${many(names.length, "column")} of numbers`,
      others.length > 0 && `left as they are: ${listed(others)}`,
      gaps > 0 && `${many(gaps, "gap")}, kept`,
      milliseconds > 0 && `batch normalization of all took ${duration(milliseconds)}`,
    ];
    this.#status.textContent = `${parts.filter(Boolean).join("; ")}.`;
  }

  async #save(): Promise<void> {
    const method = element("see-method", HTMLSelectElement).value as Method;
    const blob = await this.#worker.save(method, this.#parameters());
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${this.#name}-${method}.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  /** A file that is dropped anywhere on the section, or chosen. */
  #receive(): void {
    const section = element("see", HTMLElement);
    const read = (file: File | undefined) => {
      if (!file) return;
      for (const radio of document.querySelectorAll<HTMLInputElement>("[name=see-data]"))
        radio.checked = false;
      this.open(file.name.replace(/\.[^.]*$/, ""), () => this.#worker.read(file));
    };
    section.addEventListener("dragover", (event) => {
      event.preventDefault();
      section.classList.add("dropping");
    });
    section.addEventListener("dragleave", () => section.classList.remove("dropping"));
    section.addEventListener("drop", (event) => {
      event.preventDefault();
      section.classList.remove("dropping");
      read(event.dataTransfer?.files[0]);
    });
    const chooser = element("see-file", HTMLInputElement);
    chooser.addEventListener("change", () => {
      read(chooser.files?.[0]);
      // The same file may be chosen again.
      chooser.value = "";
    });
  }
}
