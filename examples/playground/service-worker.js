// Keeps what was built, so that the page works without a network: the page itself is asked for first and kept as the
// reserve, everything else has its content in its name. VERSION and FILES stand above.

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(FILES)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name !== VERSION);
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(old(names).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

async function answer(request) {
  const kept = await caches.match(request, { ignoreSearch: true });
  if (request.mode === "navigate") return fetch(request).catch(() => kept ?? Response.error());
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok && request.url.includes("/assets/")) {
    (await caches.open(VERSION)).put(request, response.clone());
  }
  return response;
}

self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(answer(event.request));
});
