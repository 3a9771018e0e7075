// Keeps the whole page, runtime and starter model for use without a network.

// keepOffline resolves to whether the page will work offline, once everything is stored.
export async function keepOffline(): Promise<boolean> {
  if (!("serviceWorker" in navigator)) return false;
  try {
    const registration = await navigator.serviceWorker.register("sw.js");
    const installing = registration.installing;
    if (installing) {
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
