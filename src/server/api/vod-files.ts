/** Files of a vod's storages, folder by folder. Links and hidden files are not shown, and no link is followed. */
import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { apiErrors } from "../../api/errors.ts";
import { rowOf } from "../../api/lists/row.ts";
import type { ListRow } from "../../api/lists/row.ts";
import { vodFileOperations } from "../../api/operations/objects.ts";
import type { ApiCall, ApiRoute } from "../../api/routes.ts";
import type { ResolvedConfig, StoragePlan } from "../../config/plan.ts";
import { listRoute } from "./list-route.ts";

/** Entries of a folder that are looked at: a folder with more shows some of them. */
const MAX_ENTRIES = 10_000;
/** Files whose sizes are asked for at a time. */
const BATCH = 64;

/** The routes. */
export function vodFileRoutes(config: () => ResolvedConfig): ApiRoute[] {
  const options = {
    plural: "files",
    key: "name",
    source: async ({ params }: ApiCall) => ({
      rows: await filesOf(storageOf(config(), params), params["subpath"] ?? ""),
    }),
  };
  return [listRoute(vodFileOperations.folder, options), listRoute(vodFileOperations.root, options)];
}

function storageOf({ vods }: ResolvedConfig, params: ApiCall["params"]): StoragePlan {
  const prefix = params["prefix"]!;
  const vod = vods.find(({ name }) => name === prefix);
  if (vod === undefined) throw unknown("vod", prefix);
  const index = params["i"]!;
  const storage = /^\d{1,4}$/.test(index) ? vod.storages[Number(index)] : undefined;
  if (storage === undefined) throw unknown("storage", index);
  return storage;
}

async function filesOf({ path: root }: StoragePlan, subpath: string): Promise<readonly ListRow[]> {
  const segments = subpath.split("/").filter((segment) => segment !== "");
  const isOdd = segments.some((one) => one.startsWith(".") || one.includes("\0") || one.includes("\\"));
  if (isOdd) throw unknown("file", subpath);
  let place = root;
  for (const [i, segment] of segments.entries()) {
    place = join(place, segment);
    const status = await lstat(place).catch(() => null);
    const isLast = i === segments.length - 1;
    if (isLast && status?.isFile() === true) return [fileRow(segment, status)];
    if (status?.isDirectory() !== true) throw unknown("file", subpath);
  }
  return await entriesOf(place, subpath);
}

async function entriesOf(folder: string, subpath: string): Promise<ListRow[]> {
  const rows: ListRow[] = [];
  const files: string[] = [];
  try {
    let entries = 0;
    for await (const entry of await opendir(folder)) {
      if (++entries > MAX_ENTRIES) break;
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory()) rows.push(rowOf(entry.name, { name: entry.name, type: "directory" }));
      if (entry.isFile()) files.push(entry.name);
    }
  } catch {
    throw unknown("folder", subpath);
  }
  for (let at = 0; at < files.length; at += BATCH) {
    const batch = files.slice(at, at + BATCH).map(async (name) => {
      const status = await lstat(join(folder, name)).catch(() => null);
      if (status?.isFile() === true) rows.push(fileRow(name, status));
    });
    await Promise.all(batch);
  }
  return rows;
}

function fileRow(name: string, status: { readonly size: number; readonly mtimeMs: number }): ListRow {
  const mtime = Math.max(0, Math.floor(status.mtimeMs));
  return rowOf(name, { name, type: "file", size: status.size, mtime });
}

function unknown(what: string, name: string): Error {
  return apiErrors.error("API_UNKNOWN", { what, name: name.slice(0, 255) });
}
