/** Where finished hours are copied to, as the configuration has it: told by the server, asked by uploading and playing. */
import type { S3Place } from "./object-store.ts";

/** What is kept on a disk of what is read from buckets. Units: bytes. */
export type CacheRule = { readonly path: string; readonly sizeBytes: number };

/** Where the hours of a stream are copied to. */
export type CopyRule = {
  readonly place: S3Place;
  /** `null`: nothing is said of it. */
  readonly cache: CacheRule | null;
};

/** The copies of a configuration, as it is now. */
export type CopyRules = {
  /** The roots below which a stream is copied, or may come to be. */
  roots(): ReadonlySet<string>;
  /** The rule of a stream whose archive lies below that root; `null`: it is not copied. */
  of(root: string, stream: string): CopyRule | null;
};

/** Nothing is copied. */
export const NO_COPIES: CopyRules = { roots: () => new Set(), of: () => null };
