/** The longest pattern that is matched: what is longer matches nothing. */
export const MAX_PATTERN_LENGTH = 512;

/**
 * Whether a name fits a pattern, in which `*` stands for any characters, none as well, slashes too.
 *
 * Takes at most as many steps as the lengths of both multiplied, whatever the pattern: no pattern of an attacker's makes
 * it slow.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  if (pattern.length > MAX_PATTERN_LENGTH) return false;
  let at = 0;
  let star = -1;
  let starName = 0;
  let i = 0;
  while (i < name.length) {
    if (at < pattern.length && pattern[at] === "*") {
      star = at++;
      starName = i;
    } else if (at < pattern.length && pattern[at] === name[i]) {
      at++;
      i++;
    } else if (star >= 0) {
      // The last star takes one character more; stars before it never have to.
      at = star + 1;
      i = ++starName;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
