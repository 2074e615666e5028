// A picture becomes what a vision model takes, three normalized planes, and a picture again.

import { ImageScaler } from "simdnorm";
import { contextOf } from "./drawing.js";
import { element } from "./element.js";
import { count, duration } from "./number.js";
import { pause } from "./pause.js";
import { paintScene } from "./scene.js";

const [WIDTH, HEIGHT] = [320, 240];

/** Those of ImageNet, which most models were trained with. */
const scaler = new ImageScaler({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });

/** Gray is 0, black and white are this far from it. */
const REACH = 2.6;

export class PictureSection {
  readonly #source = contextOf(element("picture-source", HTMLCanvasElement));
  readonly #planes = ["red", "green", "blue"].map((name) =>
    contextOf(element(`picture-${name}`, HTMLCanvasElement)),
  );
  readonly #back = contextOf(element("picture-back", HTMLCanvasElement));
  readonly #status = element("picture-status", HTMLElement);
  readonly #camera = element("picture-camera", HTMLButtonElement);
  readonly #values = new Float32Array(3 * WIDTH * HEIGHT);
  #stream: MediaStream | undefined;

  constructor() {
    const section = element("picture", HTMLElement);
    section.addEventListener("dragover", (event) => event.preventDefault());
    section.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#read(event.dataTransfer?.files[0]);
    });
    const chooser = element("picture-file", HTMLInputElement);
    chooser.addEventListener("change", () => this.#read(chooser.files?.[0]));
    this.#camera.hidden = !navigator.mediaDevices;
    this.#camera.addEventListener("click", () => (this.#stream ? this.#stop() : this.#watch()));
  }

  /** The picture that the page opens with. */
  async scene(): Promise<void> {
    paintScene(this.#source, WIDTH, HEIGHT);
    await pause();
    // The first call compiles the kernels: it is not what is timed.
    scaler.apply(this.#source.getImageData(0, 0, WIDTH, HEIGHT), { out: this.#values });
    await pause();
    this.#show();
  }

  /** To planes and back, with what it took, and whether every byte returned. */
  #show(): void {
    const image = this.#source.getImageData(0, 0, WIDTH, HEIGHT);
    const start = performance.now();
    scaler.apply(image, { out: this.#values });
    const milliseconds = performance.now() - start;
    const back = this.#back.createImageData(WIDTH, HEIGHT);
    scaler.inverse(this.#values, { out: back });
    this.#back.putImageData(back, 0, 0);

    const size = WIDTH * HEIGHT;
    for (const [k, context] of this.#planes.entries()) {
      const plane = context.createImageData(WIDTH, HEIGHT);
      const pixels = new Uint32Array(plane.data.buffer);
      for (let i = 0; i < size; i++) {
        const gray = 127.5 * (1 + this.#values[k * size + i] / REACH);
        pixels[i] = 0xff000000 | (0x010101 * Math.min(255, Math.max(0, gray | 0)));
      }
      context.putImageData(plane, 0, 0);
    }
    // Alpha is not a channel of a model.
    const off = image.data.reduce((sum, byte, i) => sum + (i % 4 < 3 && byte !== back.data[i] ? 1 : 0), 0);
    const returned = off === 0 ? "every byte returned" : `${count(off)} bytes did not return`;
    this.#status.textContent = `${WIDTH} × ${HEIGHT} pixels to planes in ${duration(milliseconds)}; back again ${returned}.`;
  }

  async #read(file: File | undefined): Promise<void> {
    if (!file) return;
    this.#stop();
    try {
      this.#paint(await createImageBitmap(file));
    } catch {
      this.#status.textContent = `${file.name}: not a picture that this browser reads.`;
    }
  }

  /** The middle of a picture, as large as it fits. */
  #paint(picture: ImageBitmap | HTMLVideoElement): void {
    const { width, height } =
      picture instanceof ImageBitmap ? picture : { width: picture.videoWidth, height: picture.videoHeight };
    const scale = Math.max(WIDTH / width, HEIGHT / height);
    const [w, h] = [width * scale, height * scale];
    this.#source.fillStyle = "white";
    this.#source.fillRect(0, 0, WIDTH, HEIGHT);
    this.#source.imageSmoothingQuality = "high";
    this.#source.drawImage(picture, (WIDTH - w) / 2, (HEIGHT - h) / 2, w, h);
    this.#show();
  }

  async #watch(): Promise<void> {
    const video = document.createElement("video");
    video.muted = true;
    video.playsInline = true;
    // Asked once: the answer may take the visitor a while.
    this.#camera.disabled = true;
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { width: WIDTH, height: HEIGHT } });
      video.srcObject = this.#stream;
      await video.play();
    } catch (error) {
      this.#stop();
      this.#status.textContent = refusal(error);
      return;
    } finally {
      this.#camera.disabled = false;
    }
    this.#camera.textContent = "Stop the camera";
    const frame = () => {
      if (!this.#stream) return;
      this.#paint(video);
      requestAnimationFrame(frame);
    };
    frame();
  }

  #stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    this.#camera.textContent = "Use the camera";
  }
}

/** Why there is no camera, in words. */
function refusal(error: unknown): string {
  if (!(error instanceof Error)) return `The camera does not answer: ${error}.`;
  if (error.name === "NotAllowedError") return "The camera was not allowed: choose a picture instead.";
  if (error.name === "NotFoundError") return "There is no camera here: choose a picture instead.";
  return `The camera does not answer: ${error.message}.`;
}
