// The picture that is there at first: an evening over hills and a lake, painted, so that it needs no licence.

import { generator } from "../network.js";

export function paintScene(context: CanvasRenderingContext2D, width: number, height: number): void {
  const shore = Math.round(0.66 * height);
  const vertical = (from: number, to: number, colors: string[]) => {
    const ramp = context.createLinearGradient(0, from, 0, to);
    for (const [i, color] of colors.entries()) ramp.addColorStop(i / (colors.length - 1), color);
    return ramp;
  };

  context.fillStyle = vertical(0, shore, ["#1d3c6e", "#5b79ab", "#e7a77b", "#f9d9a0"]);
  context.fillRect(0, 0, width, shore);
  const sun = context.createRadialGradient(0.68 * width, 0.5 * height, 4, 0.68 * width, 0.5 * height, 90);
  for (const [i, color] of ["#fffbe8", "#ffe9a8dd", "#ffc47a55", "#ffc47a00"].entries()) {
    sun.addColorStop([0, 0.14, 0.4, 1][i], color);
  }
  context.fillStyle = sun;
  context.fillRect(0, 0, width, shore);

  for (const [layer, color] of ["#7f86a5", "#55648a", "#2f4564", "#182c40"].entries()) {
    const base = shore - (58 - 17 * layer);
    context.fillStyle = color;
    context.beginPath();
    context.moveTo(0, shore);
    for (let x = 0; x <= width; x++) {
      const t = x / width;
      const wave =
        Math.sin(5.1 * t + 1.9 * layer) + 0.5 * Math.sin(13 * t + 4 * layer) + 0.2 * Math.sin(41 * t + layer);
      context.lineTo(x, base - (20 - 4 * layer) * wave);
    }
    context.lineTo(width, shore);
    context.fill();
  }

  context.fillStyle = vertical(shore, height, ["#d9a47e", "#5d6f93", "#152a45"]);
  context.fillRect(0, shore, width, height - shore);
  const random = generator(3);
  for (let i = 0; i < 260; i++) {
    const depth = random();
    const y = shore + 2 + depth ** 1.4 * (height - shore);
    const near = Math.abs(random() - 0.5) < 0.25;
    const x = near ? (0.68 + (random() - 0.5) * (0.08 + 0.22 * depth)) * width : random() * width;
    context.fillStyle = near ? `rgba(255, 233, 178, ${0.25 + 0.5 * random()})` : "rgba(20, 36, 60, 0.25)";
    context.fillRect(x, y, 4 + 22 * depth * random(), 1 + depth);
  }
}
