// Numbers as the page writes them.

const whole = new Intl.NumberFormat("en");

export const count = (value: number): string => whole.format(value);

/** So many of them; `name` is that of one. */
export const many = (value: number, name: string): string =>
  `${count(value)} ${name}${value === 1 ? "" : "s"}`;

/** Three digits. */
export const short = (value: number, digits = 3): string =>
  value >= 10 ** (digits - 1) ? count(Math.round(value)) : value.toPrecision(digits);

/** A time in the unit that suits it; clocks of browsers tell a tenth of a millisecond. */
export function duration(milliseconds: number): string {
  if (milliseconds < 0.1) return "less than 0.1 ms";
  return milliseconds < 1000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** An exponent. */
export const raised = (exponent: number): string =>
  String(exponent).replaceAll(/./g, (character) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(character)]);
