/** What S3 answers to reading and writing, as far as it tells how the entity tag was made. */
export type Encryption = {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
};

/** Whether an entity tag may be an MD5. Spec: Amazon S3 API Reference, Object, "ETag". */
export function hasMd5Etag({ ServerSideEncryption, SSECustomerAlgorithm }: Encryption): boolean {
  const isPlain = ServerSideEncryption === undefined || ServerSideEncryption === "AES256";
  return isPlain && SSECustomerAlgorithm === undefined;
}

/** An entity tag without its quotes. */
export function bareEtag(etag: string | undefined): string | null {
  return etag === undefined ? null : etag.replace(/^"|"$/g, "");
}
