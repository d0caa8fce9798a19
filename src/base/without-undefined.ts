/** Copies an object without its undefined properties, in their order. */
export function withoutUndefined<T extends object>(from: { [K in keyof T]: T[K] | undefined }): T {
  const copy: Partial<T> = {};
  for (const key in from) if (Object.hasOwn(from, key) && from[key] !== undefined) copy[key] = from[key];
  return copy as T;
}
