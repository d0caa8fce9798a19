import { createHash } from "node:crypto";
import { concatBytes } from "../base/bytes.ts";
import type { ByteSource } from "./byte-source.ts";
import { partOfTargets, readScattered, roomOf } from "./scattered-read.ts";

/**
 * Several files as one, their bytes one behind the other: what is made of one file can be made of the qualities of one
 * work without a word about it.
 */
export class JoinedSource implements ByteSource {
  readonly path: string;
  readonly version: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly members: readonly ByteSource[];

  /** `members` is not empty. Ownership: they are released with it. */
  constructor(path: string, members: readonly ByteSource[]) {
    this.path = path;
    this.members = members;
    this.version = joinVersions(members.map(({ version }) => version));
    this.sizeBytes = members.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.modifiedMs = Math.max(...members.map(({ modifiedMs }) => modifiedMs));
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let start = 0;
    for (const member of this.members) {
      const from = Math.max(offset, start);
      const to = Math.min(offset + length, start + member.sizeBytes);
      if (from < to) {
        const part = await member.read(from - start, to - from);
        parts.push(part);
        // What is behind a member that has become shorter is not where it was.
        if (part.byteLength < to - from) break;
      }
      start += member.sizeBytes;
    }
    return parts.length === 1 ? parts[0]! : concatBytes(parts);
  }

  async readInto(offset: number, targets: readonly Uint8Array[]): Promise<number> {
    const end = offset + roomOf(targets);
    let filled = 0;
    let start = 0;
    for (const member of this.members) {
      const from = Math.max(offset, start);
      const to = Math.min(end, start + member.sizeBytes);
      if (from < to) {
        const room = partOfTargets(targets, from - offset, to - offset);
        const read = await readScattered(member, from - start, room);
        filled += read;
        if (read < to - from) break;
      }
      start += member.sizeBytes;
    }
    return filled;
  }

  release(): void {
    for (const member of this.members) member.release();
  }
}

/** The version of files together: another one when any of them has another one. */
export function joinVersions(versions: readonly string[]): string {
  return `set-${createHash("sha256").update(versions.join("\n")).digest("hex").slice(0, 20)}`;
}
