// What ends with the program, however that ends: by itself, by an error, by Ctrl-C.

import { constants } from "node:os";

// Without a listener a signal ends the program at once, and nothing hears of its end.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.once(signal, () => process.exit(128 + constants.signals[signal]));

/** Calls a function when the program ends. Nothing that it awaits comes to pass. */
export function atEnd(end) {
  process.once("exit", end);
}
