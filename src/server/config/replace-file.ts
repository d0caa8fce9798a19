import { randomBytes } from "node:crypto";
import { open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { placeToWrite } from "./own-file.ts";

/** What a new file may be read by, where there was none: it may have passwords in it. */
const NEW_MODE = 0o600;

/** What a text begins with that says that it is UTF-8; readers of configurations do not see it. */
const BYTE_ORDER_MARK = "\uFEFF";

/**
 * Puts a new text in the place of a file in one step: whoever reads it, or finds it after a crash, has the old one or the
 * new one whole. The mode, and the owner where the server may set it, stay. `before`: what the file has to have in it,
 * `undefined` where it must not be there yet. `text` `undefined`: the file goes.
 *
 * Rejects with the system's error, and with nothing left behind. Returns: false when something else was in the file.
 */
export async function replaceFile(
  file: string,
  text: string | undefined,
  before: string | undefined,
): Promise<boolean> {
  const place = await placeToWrite(file);
  const folder = dirname(place);
  const { written: found, mark } = await textAt(place);
  if (found !== before) return false;
  if (text === undefined) {
    await unlink(place);
  } else {
    const temporary = await writeBeside(place, mark + text);
    try {
      if ((await textAt(place)).written !== before) {
        await unlink(temporary);
        return false;
      }
      await rename(temporary, place);
    } catch (caught) {
      await unlink(temporary).catch(() => {});
      throw caught;
    }
    await removeLeftovers(place);
  }
  await syncFolder(folder);
  return true;
}

async function textAt(place: string): Promise<{ written: string | undefined; mark: string }> {
  const text = await readFile(place, "utf8").catch((caught: unknown) => {
    if (caught instanceof Error && "code" in caught && caught.code === "ENOENT") return undefined;
    throw caught;
  });
  const mark = text?.startsWith(BYTE_ORDER_MARK) === true ? BYTE_ORDER_MARK : "";
  return { written: text?.slice(mark.length), mark };
}

/** A file with a dot in front of its name is no part of a configuration. */
async function writeBeside(place: string, text: string): Promise<string> {
  const old = await stat(place).catch(() => null);
  const temporary = join(dirname(place), `${temporaryStart(place)}${randomBytes(6).toString("hex")}`);
  const handle = await open(temporary, "wx", NEW_MODE);
  try {
    await handle.writeFile(text);
    if (old !== null) {
      await handle.chmod(old.mode & 0o7777);
      await handle.chown(old.uid, old.gid).catch(() => {});
    }
    await handle.sync();
    return temporary;
  } catch (caught) {
    await unlink(temporary).catch(() => {});
    throw caught;
  } finally {
    await handle.close();
  }
}

function temporaryStart(place: string): string {
  return `.${basename(place)}.`;
}

/** What is so much older than the file is nobody's work any more, by the clock of the file system. Units: milliseconds. */
const LEFT_BEHIND_MS = 60_000;

/** Most that one writing removes of them. */
const MAX_REMOVED = 100;

/** What servers left that were killed while they wrote: whole configurations, with passwords. Never rejects. */
async function removeLeftovers(place: string): Promise<void> {
  const start = temporaryStart(place);
  const isTemporary = (name: string): boolean =>
    name.startsWith(start) && /^[0-9a-f]{12}$/.test(name.slice(start.length));
  try {
    const { mtimeMs } = await stat(place);
    const names = (await readdir(dirname(place))).filter(isTemporary);
    for (const name of names.slice(0, MAX_REMOVED)) {
      const path = join(dirname(place), name);
      if ((await stat(path)).mtimeMs < mtimeMs - LEFT_BEHIND_MS) await unlink(path);
    }
  } catch {
    // The file is written; the next writing looks again.
  }
}

/** So that the new name outlives a power failure. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
