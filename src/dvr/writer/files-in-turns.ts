import type { BoundedWork } from "../../base/bounded-work.ts";
import type { ArchiveFile, ArchiveFiles } from "../archive-files.ts";

/**
 * Files whose operations have their turns. Each one takes a thread of the system's calls until the disk has done it, and a
 * process has some dozens of those for all that it does: of a disk that hangs, however many streams are recorded there, a
 * few wait in such a thread and all others here. A sync is not among them: it has turns of its own.
 */
export function filesInTurns(files: ArchiveFiles, turns: Pick<BoundedWork, "run">): ArchiveFiles {
  return {
    open: async (path) => {
      const file = await turns.run(async () => await files.open(path));
      return file === null ? null : fileInTurns(file, turns);
    },
    create: async (path) => fileInTurns(await turns.run(async () => await files.create(path)), turns),
    stat: async (path) => await turns.run(async () => await files.stat(path)),
    list: async (folder) => await turns.run(async () => await files.list(folder)),
  };
}

function fileInTurns(file: ArchiveFile, turns: Pick<BoundedWork, "run">): ArchiveFile {
  return {
    path: file.path,
    sizeBytes: async () => await turns.run(async () => await file.sizeBytes()),
    read: async (offset, into) => await turns.run(async () => await file.read(offset, into)),
    append: async (pieces) => await turns.run(async () => await file.append(pieces)),
    truncate: async (bytes) => await turns.run(async () => await file.truncate(bytes)),
    sync: async () => await file.sync(),
    close: async () => await turns.run(async () => await file.close()),
  };
}
