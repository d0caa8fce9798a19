/** Why a path is refused, in words for the reply. */
export type PathProblem = { readonly problem: string };

const MAX_PATH_LENGTH = 2048;

/**
 * Decodes the path of a request target, once, and refuses what could mean two things.
 *
 * Every segment is percent-decoded as UTF-8 on its own. Refused: bad escapes, segments that hold a slash, a backslash
 * or a control character after decoding (so NUL as well), `.` and `..`, empty segments (`//`), and paths longer than
 * 2048 characters. A trailing slash is kept.
 * Returns: the decoded path, beginning with a slash.
 */
export function decodePath(rawPath: string): string | PathProblem {
  if (rawPath.length > MAX_PATH_LENGTH)
    return { problem: `the path is longer than ${MAX_PATH_LENGTH} characters` };
  if (!rawPath.startsWith("/")) return { problem: "the path does not begin with a slash" };
  if (isPlain(rawPath)) return rawPath;
  const segments = rawPath.slice(1).split("/");
  const decoded: string[] = [];
  for (let i = 0; i < segments.length; i++) {
    const segment = decodeSegment(segments[i]!);
    if (segment === null) return { problem: "the path has a broken percent escape" };
    if (segment === "" && i < segments.length - 1) return { problem: "the path has an empty segment" };
    if (segment === "." || segment === "..") return { problem: "the path has a dot segment" };
    if (hasForbiddenCharacter(segment)) {
      return { problem: "the path has an encoded slash, a backslash or a control character" };
    }
    decoded.push(segment);
  }
  return `/${decoded.join("/")}`;
}

/** Whether there is nothing to decode or to refuse, as in nearly all: no escape, no empty segment and none that begins with a dot. */
function isPlain(path: string): boolean {
  if (path.includes("%") || path.includes("//") || path.includes("/.")) return false;
  for (let i = 0; i < path.length; i++) if (isForbidden(path.charCodeAt(i))) return false;
  return true;
}

function decodeSegment(raw: string): string | null {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return null;
  }
}

function hasForbiddenCharacter(segment: string): boolean {
  for (let i = 0; i < segment.length; i++) {
    const code = segment.charCodeAt(i);
    if (isForbidden(code) || code === 0x2f) return true;
  }
  return false;
}

/** A control character or a backslash. */
function isForbidden(code: number): boolean {
  return code < 0x20 || code === 0x7f || code === 0x5c;
}
