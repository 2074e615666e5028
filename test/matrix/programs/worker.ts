// A worker at the edge: standardizes the rows that it is sent, by a scaler that was fitted elsewhere.

import { backend, StandardScaler } from "simdnorm/edge";
import fitted from "./fitted.json" with { type: "json" };

const scaler = StandardScaler.fromJSON(fitted);

export default {
  async fetch(request: Request): Promise<Response> {
    const rows = (await request.json()) as number[][];
    try {
      return Response.json({ rows: scaler.transform(rows), backend: backend() });
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) {
        return Response.json({ error: error.message }, { status: 400 });
      }
      throw error;
    }
  },
};
