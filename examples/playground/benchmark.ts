// How fast here: contenders in rounds, each in turn, in workers of their own; the fastest counts.

import * as Plot from "@observablehq/plot";
import { type Remote, wrap } from "comlink";
import { shapes } from "../../bench/shapes.js";
import type { Accuracy } from "./accuracy.js";
import type { Benchmark, Kernels, Operation } from "./benchmark-worker.js";
import { chosen, control, element } from "./element.js";
import { Figure } from "./figure.js";
import { count, raised, short } from "./number.js";
import type { Tfjs } from "./tfjs-worker.js";

const ROUNDS = 8;

/** Beyond this many values telephones run out of memory. */
const LARGEST = 2 ** 23;

const colors: Record<string, string> = {
  "simdnorm, tensor": "var(--batch)",
  "simdnorm, array": "var(--standard)",
  "tuned JavaScript": "var(--range)",
  "naive JavaScript": "var(--before)",
  "tfjs, batchNorm": "var(--tfjs)",
};

interface Timed {
  readonly name: string;
  readonly round: () => Promise<number>;
  /** Milliseconds per call. */
  best: number;
}

/** An error for who asked to stop. */
class Cancelled extends Error {}

export class BenchmarkSection {
  readonly #button = element("bench-run", HTMLButtonElement);
  readonly #progress = element("bench-progress", HTMLProgressElement);
  readonly #status = element("bench-status", HTMLElement);
  readonly #figure = new Figure(element("bench-figure", HTMLElement));
  readonly #shape = element("bench-shape", HTMLSelectElement);
  /** Stops what runs; undefined where nothing does. */
  #cancel: (() => void) | undefined;

  constructor() {
    const offered = shapes.filter((shape) => !("tokens" in shape) && shape.length <= LARGEST);
    this.#shape.replaceChildren(
      ...offered.map(({ name, length }) => new Option(`${name}: ${count(length)} values`, name)),
    );
    this.#shape.value = "1024×1024";
    this.#button.addEventListener("click", () => {
      if (this.#cancel) this.#cancel();
      else this.#run();
    });
  }

  /** Fills the table of errors. */
  async showAccuracy(): Promise<void> {
    const worker = start();
    const rows = await wrap<Benchmark>(worker).accuracies();
    worker.terminate();
    const body = element("accuracy", HTMLTableSectionElement);
    body.replaceChildren(
      ...rows.map(({ mean, simdnorm, twoPasses, onePass }: Accuracy) => {
        const row = document.createElement("tr");
        const head = document.createElement("th");
        head.scope = "row";
        head.textContent = count(mean);
        row.append(head);
        for (const error of [simdnorm, twoPasses, onePass]) row.insertCell().append(power(error));
        return row;
      }),
    );
  }

  async #run(): Promise<void> {
    const workers: Worker[] = [];
    const cancelled = new Promise<never>((_, reject) => {
      this.#cancel = () => reject(new Cancelled("Cancelled."));
    });
    this.#button.textContent = "Cancel";
    this.#progress.value = 0;
    this.#progress.hidden = false;
    this.#say("Preparing …");
    try {
      await Promise.race([this.#measure(workers), cancelled]);
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error), !(error instanceof Cancelled));
    }
    for (const worker of workers) worker.terminate();
    this.#cancel = undefined;
    this.#button.textContent = "Measure";
    this.#progress.hidden = true;
  }

  async #measure(workers: Worker[]): Promise<void> {
    const shape = shapes.find(({ name }) => name === this.#shape.value);
    if (!shape) throw new RangeError("choose a shape");
    const operation = chosen("bench-operation") as Operation;
    const spawn = <Kind extends Worker>(worker: Kind) => {
      workers.push(worker);
      return worker;
    };

    const timed: Timed[] = [];
    const enter = (name: string, round: () => Promise<number>) =>
      timed.push({ name, round, best: Number.POSITIVE_INFINITY });
    for (const kernels of ["wasm", "javascript"] satisfies Kernels[]) {
      const remote: Remote<Benchmark> = wrap(spawn(start()));
      for (const name of await remote.prepare(kernels, shape.name, operation)) {
        enter(name, () => remote.round(name));
      }
    }
    // It has no batch normalization of planes.
    if (control("bench-tfjs").checked && shape.inner === 1) {
      this.#say("Loading TensorFlow.js …");
      const remote: Remote<Tfjs> = wrap(
        spawn(new Worker(new URL("./tfjs-worker.ts", import.meta.url), { type: "module" })),
      );
      enter(await remote.prepare(shape.name, operation), () => remote.round());
    }

    this.#say("Measuring …");
    this.#progress.max = ROUNDS * timed.length;
    for (let round = 1; round <= ROUNDS; round++) {
      for (const contender of timed) {
        contender.best = Math.min(contender.best, await contender.round());
        // After a cancellation an answer may still come.
        if (!this.#cancel) return;
        this.#progress.value++;
      }
      await this.#draw(timed, shape.length);
    }
    this.#conclude(timed, shape.name, operation);
  }

  #draw(timed: readonly Timed[], length: number): Promise<void> {
    const rows = timed.map(({ name, best }) => ({ name, nanoseconds: (1e6 * best) / length }));
    const slowest = Math.max(...rows.map(({ nanoseconds }) => nanoseconds));
    return this.#figure.draw(() => ({
      ariaLabel: `Nanoseconds per value: ${rows.map(({ name, nanoseconds }) => `${name} ${short(nanoseconds)}`).join(", ")}`,
      height: 44 * rows.length + 40,
      marginLeft: 116,
      marginRight: 16,
      marginTop: 4,
      marginBottom: 34,
      style: { fontSize: "12px" },
      x: {
        label: "nanoseconds per value, less is better",
        labelArrow: "none",
        ticks: 5,
        domain: [0, slowest * 1.18],
      },
      y: { domain: rows.map(({ name }) => name), label: null, tickSize: 0 },
      marks: [
        Plot.barX(rows, {
          x: "nanoseconds",
          y: "name",
          fill: ({ name }) => colors[name],
          insetTop: 5,
          insetBottom: 5,
        }),
        Plot.text(rows, {
          x: "nanoseconds",
          y: "name",
          text: ({ nanoseconds }) => short(nanoseconds),
          textAnchor: "start",
          dx: 5,
        }),
        Plot.ruleX([0]),
      ],
    }));
  }

  #conclude(timed: readonly Timed[], shape: string, operation: Operation): void {
    const of = (name: string) => timed.find((contender) => contender.name === name)?.best;
    const times = (kind: string) => {
      const own = of(`simdnorm, ${kind}`)!;
      const others = ["tuned JavaScript", "naive JavaScript", "tfjs, batchNorm"].flatMap((name) => {
        const best = of(name);
        return best === undefined ? [] : [`${short(best / own, 2)} × ${name.split(",")[0]}`];
      });
      return `${kind}s are ${others.join(", ")}`;
    };
    const what = operation === "train" ? "Training" : "Inference";
    this.#say(`${what} on ${shape}, as fast as: ${times("tensor")}; ${times("array")}.`);
  }

  #say(text: string, failed = false): void {
    this.#status.textContent = text;
    this.#status.classList.toggle("error", failed);
  }
}

function start(): Worker {
  return new Worker(new URL("./benchmark-worker.ts", import.meta.url), { type: "module" });
}

/** A number with one digit after the point, times a power of ten. */
function power(value: number): string {
  if (!Number.isFinite(value)) return "not a number";
  if (value >= 0.01) return value.toPrecision(2);
  const [digits, exponent] = value.toExponential(1).split("e");
  return `${digits} · 10${raised(Number(exponent))}`;
}
