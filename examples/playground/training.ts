// A network that learns digits, with and without batch normalization, and knows the one that the visitor draws.

import * as Plot from "@observablehq/plot";
import { type Remote, wrap } from "comlink";
import digits from "../data/digits.csv?url";
import { Drawing } from "./drawing.js";
import { chosen, element } from "./element.js";
import { Figure } from "./figure.js";
import type { Accuracies, Training } from "./training-worker.js";

const EPOCHS = 25;
const SEED = 1;

/** What both are to reach, for a comparison. */
const GOAL = 0.9;

export class TrainingSection {
  readonly #worker: Remote<Training> = wrap(
    new Worker(new URL("./training-worker.ts", import.meta.url), { type: "module" }),
  );
  readonly #button = element("train-run", HTMLButtonElement);
  readonly #status = element("train-status", HTMLElement);
  readonly #answer = element("draw-answer", HTMLElement);
  readonly #curves = new Figure(element("train-figure", HTMLElement));
  readonly #odds = new Figure(element("draw-figure", HTMLElement));
  readonly #drawing = new Drawing(() => this.#recognize());
  #epochs: Accuracies[] = [];
  #running = false;

  constructor() {
    this.#button.addEventListener("click", () => {
      if (this.#running) this.#running = false;
      else this.#train();
    });
  }

  async #train(): Promise<void> {
    this.#running = true;
    this.#button.textContent = "Stop";
    this.#epochs = [];
    await this.#worker.open(new URL(digits, location.href).href);
    await this.#worker.start(SEED, Number(chosen("train-rate")));
    while (this.#running && this.#epochs.length < EPOCHS) {
      this.#epochs.push(await this.#worker.epoch());
      await this.draw();
      this.#report();
      await this.#recognize();
    }
    this.#running = false;
    this.#button.textContent = "Train again";
  }

  /** The curves, as far as they are known by now. */
  draw(): Promise<void> {
    const points = this.#epochs.flatMap(({ plain, normalized }, i) => [
      { epoch: i + 1, percent: 100 * plain, name: "plain" },
      { epoch: i + 1, percent: 100 * normalized, name: "batch norm" },
    ]);
    const last = this.#epochs.at(-1);
    const color = { plain: "var(--range)", "batch norm": "var(--batch)" };
    return this.#curves.draw((width) => ({
      ariaLabel: last
        ? `Accuracy after ${this.#epochs.length} epochs: plain ${percent(last.plain)}, with batch normalization ${percent(last.normalized)}`
        : "Accuracy after each epoch: none yet",
      height: Math.min(320, 0.7 * width),
      marginLeft: 44,
      marginRight: 12,
      marginTop: 24,
      marginBottom: 36,
      style: { fontSize: "12px" },
      x: { domain: [1, EPOCHS], label: "epoch", labelArrow: "none", ticks: 5 },
      y: { domain: [0, 100], label: "% of test digits known", labelArrow: "none", grid: true, ticks: 5 },
      color: { domain: Object.keys(color), range: Object.values(color) },
      marks: [
        Plot.ruleY([100 * GOAL], { strokeDasharray: "3 3", strokeOpacity: 0.6 }),
        Plot.line(points, { x: "epoch", y: "percent", z: "name", stroke: "name", strokeWidth: 2.25 }),
        Plot.dot(points, { x: "epoch", y: "percent", fill: "name", r: 2.5 }),
      ],
    }));
  }

  #report(): void {
    const { length } = this.#epochs;
    const { plain, normalized } = this.#epochs[length - 1];
    const now = `Epoch ${length} of ${EPOCHS}: plain ${percent(plain)}, with batch normalization ${percent(normalized)}.`;
    const epochsOf = (kind: keyof Accuracies) => this.#epochs.findIndex((epoch) => epoch[kind] >= GOAL) + 1;
    const [slow, fast] = [epochsOf("plain"), epochsOf("normalized")];
    const saved = Math.round(100 * (1 - fast / slow));
    const goal = ` ${percent(GOAL, 0)} after ${fast} instead of ${slow} epochs: ${saved} % fewer.`;
    this.#status.textContent = fast > 0 && slow > fast ? now + goal : now;
  }

  /** Says what is drawn, as far as is known by now. */
  async #recognize(): Promise<void> {
    const pixels = this.#drawing.pixels();
    if (this.#epochs.length === 0 || !pixels) {
      this.#answer.textContent = pixels ? "Train the network first." : "";
      return;
    }
    const odds = await this.#worker.recognize(pixels);
    const best = odds.indexOf(Math.max(...odds));
    const bars = odds.map((probability, digit) => ({ digit, probability }));
    await this.#odds.draw(() => ({
      ariaLabel: `Probabilities: ${bars.map(({ digit, probability }) => `${digit} ${percent(probability, 0)}`).join(", ")}`,
      height: 120,
      marginLeft: 4,
      marginRight: 4,
      marginBottom: 22,
      style: { fontSize: "12px" },
      x: { type: "band", label: null, tickSize: 0 },
      y: { domain: [0, 1], axis: null },
      marks: [
        Plot.barY(bars, {
          x: "digit",
          y: "probability",
          fill: ({ digit }) => (digit === best ? "var(--batch)" : "var(--before)"),
        }),
        Plot.ruleY([0]),
      ],
    }));
    this.#answer.textContent = `This is a ${best} (${percent(odds[best], 0)} sure).`;
  }
}

const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;
