/** The word of the `protocols` directive. */
export const MSE_PROTOCOL = "mseld";

const SUFFIX = "/mse_ld";

/**
 * The name of the stream that a decoded path asks for over MSE-LD: `/NAME/mse_ld`. NAME may hold slashes; whether it can
 * be a stream's is not looked at. Returns `null` for any other path.
 */
export function parseMsePath(path: string): string | null {
  if (!path.startsWith("/") || !path.endsWith(SUFFIX)) return null;
  const name = path.slice(1, -SUFFIX.length);
  return name === "" || name.endsWith("/") ? null : name;
}
