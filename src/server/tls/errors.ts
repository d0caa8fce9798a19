import { defineErrors } from "../../base/errors.ts";

/** What may be wrong with the files of a TLS listener. None of them has anything of a key in it. */
export const tlsErrors = defineErrors({
  TLS_FILE_UNREADABLE: {
    disposition: "retry",
    message: "{file} cannot be read ({reason})",
    doc: "A TLS listener has no certificate, or no key. Mount the Secret that has it, or name the right files in the configuration; it is looked for every few seconds.",
  },
  TLS_NOT_PEM: {
    disposition: "retry",
    message: "{file} has no {what} in PEM",
    doc: "The file has to begin with a line such as -----BEGIN CERTIFICATE-----. A file in DER is changed by `openssl x509 -inform der`.",
  },
  TLS_BAD_PASSPHRASE: {
    disposition: "retry",
    message: "the passphrase does not open the key in {file}",
    doc: "The key is encrypted with another passphrase than the configuration has.",
  },
  TLS_KEY_MISMATCH: {
    disposition: "retry",
    message: "the key in {keyFile} is not the one of the certificate in {file}",
    doc: "Certificate and key are of two pairs, or the file of the certificate begins with one of its chain: the server's own comes first.",
  },
  TLS_REFUSED: {
    disposition: "retry",
    message: "OpenSSL does not take the certificate in {file}: {reason}",
    doc: "The pair is of a kind that is not safe any more, such as RSA with 1024 bits, or the chain has a broken certificate.",
  },
});
