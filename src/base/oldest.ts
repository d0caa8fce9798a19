/** Deletes the oldest entries of a map, in the order in which they were put in, until no more than `most` are left. */
export function dropOldest(map: Map<unknown, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}
