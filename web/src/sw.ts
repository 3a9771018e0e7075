// The service worker: stores every file of this version at install and serves it from then on, so the
// page needs no network after its first load. A new version waits until no page of the old one is open, or
// a page asks for it.
interface Lifetime { waitUntil(promise: Promise<unknown>): void }
interface FetchLike extends Lifetime { request: Request; respondWith(response: Promise<Response>): void }
declare const FILES: string[]; // filled in by the build: every file of the page
declare const VERSION: string; // a hash over all of them

const scope = self as unknown as {
  addEventListener(type: "install" | "activate", listener: (event: Lifetime) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchLike) => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  registration: { scope: string };
};
const cacheName = `unmask-${VERSION}`;

scope.addEventListener("install", (event) => {
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "no-cache" })))));
});

scope.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (/^unmask-[0-9a-f]+$/.test(name) && name !== cacheName) await caches.delete(name);
    }
    await scope.clients.claim();
  })());
});

scope.addEventListener("message", (event) => {
  if (event.data === "activate") void scope.skipWaiting();
});

scope.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || !event.request.url.startsWith(scope.registration.scope)) return;
  event.respondWith((async () => {
    const cache = await caches.open(cacheName);
    const stored = await cache.match(event.request, { ignoreSearch: event.request.mode === "navigate" });
    return stored ?? fetch(event.request);
  })());
});
