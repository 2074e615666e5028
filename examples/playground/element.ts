// Elements of the page, found by their names.

/** The element of that id, which is of that kind. */
export function element<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`#${id}: expected ${kind.name}, got ${found?.localName}`);
  return found;
}

/** The control of that id. */
export const control = (id: string): HTMLInputElement => element(id, HTMLInputElement);

/** Calls with the value of a group of radio buttons whenever another one is chosen. */
export function whenChosen(name: string, call: (value: string) => void): void {
  for (const radio of document.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`)) {
    radio.addEventListener("change", () => call(radio.value));
  }
}

/** The value of what is chosen in a group of radio buttons. */
export function chosen(name: string): string {
  const radio = document.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`);
  if (!radio) throw new TypeError(`${name}: expected one to be chosen, got none`);
  return radio.value;
}
