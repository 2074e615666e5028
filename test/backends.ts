// Every test of the package runs on both backends.

import { backend, init } from "simdnorm";
import { beforeAll, describe, expect } from "vitest";

export function onBothBackends(body: (name: "wasm" | "javascript") => void): void {
  describe.each(["wasm", "javascript"] as const)("%s", (name) => {
    beforeAll(() => {
      init({ backend: name });
      expect(backend()).toBe(name);
    });
    body(name);
  });
}
