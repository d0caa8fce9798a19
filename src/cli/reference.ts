import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { renderConfigReference } from "../config/reference.ts";

/** Where the reference of the config language stands in the repository. */
export const REFERENCE_PATH = fileURLToPath(new URL("../../docs/config.md", import.meta.url));

/**
 * Writes docs/config.md anew from the schema: `node src/cli/reference.ts`.
 */
export async function writeReference(path: string = REFERENCE_PATH): Promise<void> {
  await writeFile(path, renderConfigReference());
}

if (import.meta.main) await writeReference();
