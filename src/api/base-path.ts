const BASE = /^\/(?:streamer|flussonic)\/api\/v3\//;

/** What a path asks of the API: what stands behind one of its two base paths; `null` for any other path. */
export function apiPath(path: string): string | null {
  const base = BASE.exec(path)?.[0];
  return base === undefined ? null : path.slice(base.length - 1);
}
