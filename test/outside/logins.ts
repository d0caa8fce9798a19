import { WELL_KNOWN_LOGINS } from "../../src/auth/credentials/well-known.ts";

/** Logins that are tried first, everywhere: those of manuals, tutorials and lists, and empty ones. */
export const DEFAULT_LOGINS: readonly string[] = [...WELL_KNOWN_LOGINS, "admin:", "root:", ":"];
