// Keeps the whole page, runtime and starter model for use without a network, and tells of updates.

// keepOffline resolves to whether the page will work offline, once everything is stored. onUpdate hears of
// a new version that waits, and gets a function that puts it in place and loads the page anew.
export async function keepOffline(onUpdate: (apply: () => void) => void): Promise<boolean> {
  if (!("serviceWorker" in navigator)) return false;
  try {
    const registration = await navigator.serviceWorker.register("sw.js");
    const installing = registration.installing;
    const updated = navigator.serviceWorker.controller !== null;
    watch(registration, onUpdate);
    if (installing && !updated) {
      const gone = new Promise<never>((_, reject) => {
        installing.addEventListener("statechange", () => {
          if (installing.state === "redundant") reject(new Error("storing the page failed"));
        });
      });
      await Promise.race([navigator.serviceWorker.ready, gone]);
    }
    return true;
  } catch (reason) {
    console.warn("offline use is not available:", reason);
    return false;
  }
}

function watch(registration: ServiceWorkerRegistration, onUpdate: (apply: () => void) => void): void {
  const tell = (worker: ServiceWorker): void => onUpdate(() => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    worker.postMessage("activate");
  });
  const follow = (worker: ServiceWorker | null): void => {
    worker?.addEventListener("statechange", () => {
      if (worker.state === "installed" && navigator.serviceWorker.controller) tell(worker);
    });
  };
  if (registration.waiting && navigator.serviceWorker.controller) tell(registration.waiting);
  follow(registration.installing);
  registration.addEventListener("updatefound", () => follow(registration.installing));
}
