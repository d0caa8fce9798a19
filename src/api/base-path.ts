const BASE = /^\/(?:streamer|flussonic)\/api\/v3\//;

/** Addresses of older clients, and what answers them now. */
const OLDER: Readonly<Record<string, string>> = {
  "/flussonic/api/server": "/config/stats",
  "/flussonic/api/media": "/streams",
  "/flussonic/api/streams": "/streams",
  "/flussonic/api/sessions": "/sessions",
  "/flussonic/api/reload": "/config/reload",
  "/flussonic/api/metrics": "/monitoring/metrics",
};

/** What a path asks of the API: what stands behind one of its two base paths; `null` for any other path. */
export function apiPath(path: string): string | null {
  const base = BASE.exec(path)?.[0];
  if (base !== undefined) return path.slice(base.length - 1);
  return Object.hasOwn(OLDER, path) ? OLDER[path]! : null;
}
