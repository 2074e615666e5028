// Tells the server of the page or worker what came of it.

export async function post(run) {
  let body;
  try {
    body = await run();
  } catch (error) {
    body = String(error);
  }
  fetch("backend", { method: "POST", body });
}
