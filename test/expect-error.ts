// An error of the right kind that says the right thing.

import { expect } from "vitest";

export type Kind = typeof TypeError | typeof RangeError | typeof ReferenceError;

export function expectError(call: () => unknown, kind: Kind, message: string): void {
  let error: unknown;
  try {
    call();
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(kind);
  expect(error instanceof Error && error.constructor === kind ? error.message : error).toContain(message);
}
