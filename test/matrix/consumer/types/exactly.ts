// How these files say what type something has.

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** `exactly<T>()(value)` compiles only if the value's type is exactly T: no wider, no narrower, not any, not never. */
export declare function exactly<Expected>(): <Value>(
  value: Value,
  ...different: Same<Expected, Value> extends true ? [] : [never]
) => void;
