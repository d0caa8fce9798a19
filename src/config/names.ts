/** Longest name of a stream, template, vod or prefix, in characters: what a file name may have on most disks. */
export const MAX_NAME_LENGTH = 255;

/**
 * Says what is wrong with the name of a stream, template, vod or prefix; `undefined` when it is good.
 *
 * A name is made of Latin letters, digits, `.`, `-` and `_`, in one or more parts with `/` between them. Names
 * become URL paths and file paths, so empty parts and parts that begin with `.` (hidden files, `..`) are refused on
 * purpose. The rule is that of `parseStreamName` in media/ids.ts; this one says why.
 */
export function nameFault(name: string): string | undefined {
  if (name === "") return "a name cannot be empty";
  if (name.length > MAX_NAME_LENGTH) return `a name has at most ${MAX_NAME_LENGTH} characters`;
  if (!/^[A-Za-z0-9._/-]+$/.test(name))
    return `a name has only Latin letters, digits, ".", "-", "_" and "/"`;
  if (name.startsWith("/") || name.endsWith("/")) return `a name neither starts nor ends with "/"`;
  const parts = name.split("/");
  if (parts.includes("")) return `a name has no empty part between two "/"`;
  if (parts.some((part) => part.startsWith("."))) return `no part of a name begins with "."`;
  return undefined;
}
