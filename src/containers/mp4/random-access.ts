/**
 * Bytes that can be read from any place: a file, later an object behind HTTP or S3. The MP4 reader knows no more of
 * where its bytes come from.
 */
export type RandomAccess = {
  readonly sizeBytes: number;
  /**
   * Reads `length` bytes from `offset`; fewer only where the bytes end.
   * Ownership: the result belongs to the caller.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
};
