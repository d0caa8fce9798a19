/** Logins with their passwords that everybody tries first: those of manuals, tutorials and lists of both. */
export const WELL_KNOWN_LOGINS: readonly string[] = [
  "admin:admin",
  "admin:password",
  "admin:123456",
  "root:root",
  "root:password",
  "user:user",
  "user:password",
  "flussonic:flussonic",
  "flussonic:letmein!",
  "streamer:streamer",
  "weir:weir",
  "test:test",
];

const PASSWORDS: ReadonlySet<string> = new Set(
  WELL_KNOWN_LOGINS.map((login) => login.slice(login.indexOf(":") + 1)),
);

/** Whether a password is one that is tried first: of the list above, whatever the login, or the login itself. */
export function isWellKnown({ login, password }: { login: string; password: string }): boolean {
  return PASSWORDS.has(password.toLowerCase()) || (login !== "" && password === login);
}
