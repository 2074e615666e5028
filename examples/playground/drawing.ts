// A pad to draw a digit on, with a pointer or with arrow keys, and what becomes of it: 8 × 8 counts, as the digits that
// the network learns were made of 32 × 32 bitmaps.

import { element } from "./element.js";

type Point = readonly [x: number, y: number];

/** Pixels of a bitmap; of a digit's width and of its strokes in it, as they are in the data. */
const BITMAP = 32;
const WIDTH = 22;
const STROKE = 7;

/** A step of the arrow keys, as a part of the pad. */
const STEP = 1 / 16;

export class Drawing {
  readonly #pad = element("draw-pad", HTMLElement);
  readonly #canvas = element("draw-canvas", HTMLCanvasElement);
  readonly #small = element("draw-pixels", HTMLCanvasElement);
  readonly #changed: () => void;
  #strokes: Point[][] = [];
  /** Where the keyboard's pen is, and whether it draws. */
  #pen: Point = [0.5, 0.25];
  #down = false;

  /** `changed` is called when a stroke ends. */
  constructor(changed: () => void) {
    this.#changed = changed;
    const pad = this.#pad;
    pad.addEventListener("pointerdown", (event) => {
      pad.setPointerCapture(event.pointerId);
      this.#strokes.push([this.#place(event)]);
      this.#paint();
    });
    pad.addEventListener("pointermove", (event) => {
      if (!pad.hasPointerCapture(event.pointerId)) return;
      this.#strokes.at(-1)?.push(this.#place(event));
      this.#paint();
    });
    pad.addEventListener("pointerup", () => this.#changed());
    pad.addEventListener("keydown", (event) => this.#key(event));
    for (const kind of ["focus", "blur"]) pad.addEventListener(kind, () => this.#paint());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paint());
    element("draw-clear", HTMLButtonElement).addEventListener("click", () => {
      this.#strokes = [];
      this.#down = false;
      this.#paint();
      this.#changed();
    });
    this.#paint();
  }

  /** 64 counts from 0 to 16; undefined where nothing is drawn. */
  pixels(): number[] | undefined {
    const points = this.#strokes.flat();
    if (points.length === 0) return undefined;
    const { context } = canvas(BITMAP);
    context.lineWidth = STROKE;
    // As high as the bitmap or as wide as digits are, and in its middle.
    const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const scale = Math.min(
      (BITMAP - STROKE) / Math.max(bottom - top, 0.05),
      (WIDTH - STROKE) / Math.max(right - left, 0.05),
    );
    const place = ([x, y]: Point): Point => [
      BITMAP / 2 + (x - (left + right) / 2) * scale,
      BITMAP / 2 + (y - (top + bottom) / 2) * scale,
    ];
    for (const stroke of this.#strokes) line(context, stroke.map(place));
    const { data } = context.getImageData(0, 0, BITMAP, BITMAP);
    const counts = new Array<number>(64).fill(0);
    for (let i = 0; i < BITMAP * BITMAP; i++) {
      const [row, column] = [Math.floor(i / BITMAP / 4), Math.floor((i % BITMAP) / 4)];
      if (data[4 * i + 3] > 127) counts[8 * row + column]++;
    }
    return counts;
  }

  #place({ offsetX, offsetY }: PointerEvent): Point {
    return [offsetX / this.#pad.clientWidth, offsetY / this.#pad.clientHeight];
  }

  #key(event: KeyboardEvent): void {
    const steps: Record<string, Point> = {
      ArrowLeft: [-STEP, 0],
      ArrowRight: [STEP, 0],
      ArrowUp: [0, -STEP],
      ArrowDown: [0, STEP],
    };
    const step = steps[event.key];
    if (step) {
      const inside = (value: number) => Math.min(0.95, Math.max(0.05, value));
      this.#pen = [inside(this.#pen[0] + step[0]), inside(this.#pen[1] + step[1])];
      if (this.#down) this.#strokes.at(-1)?.push(this.#pen);
    } else if (event.key === " ") {
      this.#down = !this.#down;
      if (this.#down) this.#strokes.push([this.#pen]);
    } else return;
    event.preventDefault();
    this.#paint();
    if (!this.#down || step) this.#changed();
  }

  /** The strokes, the pen where the keyboard has it, and the counts as they are seen by the network. */
  #paint(): void {
    const { width, height } = this.#canvas;
    const context = contextOf(this.#canvas);
    const ink = getComputedStyle(this.#pad).color;
    context.clearRect(0, 0, width, height);
    context.strokeStyle = ink;
    context.lineWidth = width / 12;
    for (const stroke of this.#strokes)
      line(
        context,
        stroke.map(([x, y]): Point => [x * width, y * height]),
      );
    // Not for who draws with a pointer.
    if (this.#pad.matches(":focus-visible")) {
      context.globalAlpha = this.#down ? 1 : 0.4;
      context.fillStyle = ink;
      context.fillRect(this.#pen[0] * width - 5, this.#pen[1] * height - 5, 10, 10);
      context.globalAlpha = 1;
    }

    const small = contextOf(this.#small);
    small.clearRect(0, 0, 8, 8);
    small.fillStyle = ink;
    for (const [i, count] of (this.pixels() ?? []).entries()) {
      small.globalAlpha = count / 16;
      small.fillRect(i % 8, Math.floor(i / 8), 1, 1);
    }
  }
}

/** A line through points; through one a dot. */
function line(context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, points: Point[]): void {
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...points[0]);
  for (const point of points) context.lineTo(...point);
  context.stroke();
}

function canvas(size: number): { context: OffscreenCanvasRenderingContext2D } {
  const context = new OffscreenCanvas(size, size).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("expected a canvas that can be drawn on");
  return { context };
}

export function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("expected a canvas that can be drawn on");
  return context;
}
