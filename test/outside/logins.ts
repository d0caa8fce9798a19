/** Logins that are tried first, everywhere: those of manuals, tutorials and lists. */
export const DEFAULT_LOGINS: readonly string[] = [
  "admin:admin",
  "admin:password",
  "admin:",
  "admin:123456",
  "root:root",
  "root:password",
  "root:",
  "user:user",
  "user:password",
  "flussonic:flussonic",
  "flussonic:letmein!",
  "streamer:streamer",
  "weir:weir",
  "test:test",
  ":",
];
