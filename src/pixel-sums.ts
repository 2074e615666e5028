// Sums of 8-bit pixels: integers, so that any split of the images has the same sums, and mean and std the same bits.

import { wrongKind, wrongValue } from "./argument.js";
import type { Order } from "./backend.js";
import { fieldsOf } from "./json.js";

/** Integers in decimal digits: they grow beyond what a number holds exactly. */
export interface PixelSumsJSON {
  /** Pixels. */
  count: string;
  /** Σv per channel. */
  sum: string[];
  /** Σv² per channel. */
  squares: string[];
}

export class PixelSums {
  count: bigint;
  readonly sum: bigint[];
  readonly squares: bigint[];

  constructor(count: bigint, sum: bigint[], squares: bigint[]) {
    this.count = count;
    this.sum = sum;
    this.squares = squares;
  }

  static none(channels: number): PixelSums {
    const zeros = () => Array.from({ length: channels }, () => 0n);
    return new PixelSums(0n, zeros(), zeros());
  }

  /** The sums of one image, as a backend's step gives them. */
  static of(count: number, sums: Float64Array, channels: Order["channels"]): PixelSums {
    const integers = Array.from(sums, BigInt);
    const n = channels === "gray" ? 1 : 3;
    const half = integers.length / 2;
    const part = (from: number) => {
      const values = integers.slice(from, from + n);
      return channels === "BGR" ? values.reverse() : values;
    };
    return new PixelSums(BigInt(count), part(0), part(half));
  }

  merge({ count, sum, squares }: PixelSums): void {
    this.count += count;
    for (let c = 0; c < sum.length; c++) {
      this.sum[c] += sum[c];
      this.squares[c] += squares[c];
    }
  }

  /** Per channel, in units of [0, 1]. */
  get mean(): Float64Array {
    return Float64Array.from(this.sum, (sum) => Number(sum) / (255 * Number(this.count)));
  }

  /** √(n·Σv² − (Σv)²)/n per channel, in units of [0, 1]; 1 for a constant. The difference is exact. */
  get std(): Float64Array {
    return Float64Array.from(this.squares, (squares, c) => {
      const scatter = this.count * squares - this.sum[c] ** 2n;
      return scatter === 0n ? 1 : Math.sqrt(Number(scatter)) / (255 * Number(this.count));
    });
  }

  toJSON(): PixelSumsJSON {
    return { count: `${this.count}`, sum: this.sum.map(String), squares: this.squares.map(String) };
  }

  /** @throws TypeError, RangeError if it is not what `toJSON` returned */
  static fromJSON(channels: number, json: unknown): PixelSums {
    const { count, sum, squares } = fieldsOf("sums", json);
    const list = (name: string, values: unknown) => {
      const expected = `an array of ${channels} integers in digits`;
      if (!Array.isArray(values)) throw wrongKind(name, expected, values);
      if (values.length !== channels) throw wrongValue(name, expected, `length ${values.length}`);
      return Array.from(values, (value, c) => integer(`${name}[${c}]`, value));
    };
    const sums = new PixelSums(integer("count", count), list("sum", sum), list("squares", squares));
    if (sums.count === 0n) throw wrongValue("count", "at least 1 pixel", "0");
    sums.squares.forEach((square, c) => {
      // Σv² is at least (Σv)²/n, and at most 255·Σv.
      const [s, n] = [sums.sum[c], sums.count];
      if (s > 255n * n || square > 255n * s || n * square < s * s) {
        throw wrongValue("sums", "those of 8-bit pixels", `count ${n}, sum ${s} and squares ${square}`);
      }
    });
    return sums;
  }
}

function integer(name: string, value: unknown): bigint {
  if (typeof value !== "string") throw wrongKind(name, "an integer in digits", value);
  // More than pixels there are, and few enough for arithmetic that takes the square of their number.
  if (!/^\d{1,40}$/.test(value)) throw wrongValue(name, "an integer of at most 40 digits", value);
  return BigInt(value);
}
