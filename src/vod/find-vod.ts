/** The `vod` whose name is the longest one that begins the path, and the rest of the path; `null` for none. */
export function findVod<Vod extends { readonly name: string }>(
  vods: readonly Vod[],
  path: string,
): { readonly vod: Vod; readonly rest: string } | null {
  let best: Vod | null = null;
  for (const vod of vods) {
    const { name } = vod;
    const matches = name === "" || path.startsWith(`${name}/`);
    if (matches && (best === null || name.length > best.name.length)) best = vod;
  }
  if (best === null) return null;
  return { vod: best, rest: best.name === "" ? path : path.slice(best.name.length + 1) };
}
