// Tells the server of the page or worker what came of it.

import { check } from "./check.js";

export function post(simdnorm) {
  let body;
  try {
    body = check(simdnorm);
  } catch (error) {
    body = String(error);
  }
  fetch("backend", { method: "POST", body });
}
