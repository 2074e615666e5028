// The steps on images as loops: what runs where WebAssembly cannot, and on images that are faster here.

import type { Block, ImageSteps, Order } from "../backend.js";
import {
  columnsToPixels,
  graySums,
  grayToPixels,
  pixelSums,
  pixelsToColumns,
  pixelsToGray,
  pixelsToPlanes,
  planesToPixels,
} from "./pixels.js";

export const imageSteps: ImageSteps = {
  sums({ data, bytes }, gray) {
    const sums = new Float64Array(gray ? 2 : 8);
    if (gray) graySums(data, bytes, sums);
    else pixelSums(data, bytes, sums);
    return sums;
  },

  apply({ data, bytes, count }, order, { levels }, y, first) {
    const values = part(y, order, first, count);
    if (order.channels === "gray") pixelsToGray(data, bytes, values, levels);
    else if (order.layout === "NHWC") pixelsToColumns(data, bytes, values, red(order), levels);
    else pixelsToPlanes(data, bytes, values, red(order), levels);
  },

  inverse(x, first, order, { map }, { data, count }) {
    const values = part(x, order, first, count);
    if (order.channels === "gray") grayToPixels(values, data, map);
    else if (order.layout === "NHWC") columnsToPixels(values, red(order), data, map);
    else planesToPixels(values, red(order), data, map);
  },
};

/** The channel that is red. */
const red = ({ channels }: Order) => (channels === "BGR" ? 2 : 0);

/** The values of one image. */
function part(values: Float32Array | Block, { channels }: Order, first: number, count: number): Float32Array {
  const view = ArrayBuffer.isView(values) ? values : values.values;
  return view.subarray(first, first + (channels === "gray" ? 1 : 3) * count);
}
