/** At most so many characters of a text, in memory of their own: a part, as `slice` gives it, keeps the whole text in memory. */
export function ownText(text: string, most = Infinity): string {
  return Buffer.from(text.length <= most ? text : text.slice(0, most)).toString();
}
