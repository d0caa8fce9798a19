import type { HashAlgorithm } from "../auth/credentials/hash-format.ts";
import { hashPassword } from "../auth/credentials/password-hash.ts";
import { asMediaError } from "../base/errors.ts";
import type { CliIo } from "./io.ts";

/** Arguments of `weir hash-password`. The password is none of them: arguments are seen by all users of a machine. */
export type HashPasswordArguments = { readonly algorithm: HashAlgorithm };

/**
 * `weir hash-password`: prints the hash of what `readSecret` gives, to be written where a password stands.
 *
 * Returns: the exit code: 1 when there is no password, or none that can be hashed.
 */
export async function hashPasswordCommand(
  { algorithm }: HashPasswordArguments,
  io: CliIo,
  readSecret: () => Promise<string>,
): Promise<number> {
  try {
    const secret = await readSecret();
    if (secret === "") {
      io.stderr("there is no password\n");
      return 1;
    }
    io.stdout(`${await hashPassword(secret, algorithm)}\n`);
    return 0;
  } catch (caught) {
    const error = asMediaError(caught);
    if (error === null) throw caught;
    io.stderr(`${error.message}\n`);
    return 1;
  }
}
