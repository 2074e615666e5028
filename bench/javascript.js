// The JavaScript half, in a process of its own: once a WebAssembly memory has grown, V8 runs every loop over typed
// arrays 17 to 40 % slower. A message with a shape prepares it, one without times a round; the answer is the best
// so far in seconds per call.

import { init } from "simdnorm";
import { Contender } from "./contender.js";
import { naive } from "./naive.js";
import { callsOf, operationsOf } from "./operations.js";
import { shapes, values } from "./shapes.js";

init({ backend: "javascript" });

let contenders = [];

process.on("message", ({ shape: name }) => {
  if (name !== undefined) {
    const shape = shapes.find((shape) => shape.name === name);
    const memory = {
      x: values(shape.length),
      y: new Float32Array(shape.length),
      dy: values(shape.length),
    };
    contenders = Object.entries({ tuned: operationsOf(shape), naive: shape.tokens ? {} : naive }).flatMap(
      ([kind, table]) =>
        callsOf(table, shape, memory).map(({ operation, place, call }) => ({
          kind,
          operation,
          place,
          contender: new Contender(call),
        })),
    );
  }
  for (const { contender } of contenders) contender.round();
  process.send(
    contenders.map(({ contender, ...which }) => ({
      ...which,
      best: contender.best,
    })),
  );
});
