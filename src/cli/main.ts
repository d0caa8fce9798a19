import { Command, InvalidArgumentError, Option } from "commander";
import { HASH_ALGORITHMS } from "../auth/credentials/hash-format.ts";
import type { HashAlgorithm } from "../auth/credentials/hash-format.ts";
import { VERSION } from "../server/version.ts";
import { checkCommand } from "./check.ts";
import { DEFAULT_CONFIG } from "./config-source.ts";
import { processIo } from "./io.ts";
import { printCommand } from "./print.ts";
import { serveCommand } from "./serve.ts";

const EPILOGUE = `
Examples:
  weir serve --demo                     try it: http://localhost:8080/, publish to rtmp://localhost/pub/NAME
  weir serve                            run with /etc/flussonic/flussonic.conf and flussonic.conf.d/*.conf
  weir serve --config ./my.conf         run with one file, or a directory of *.conf parts
  weir check ./my.conf                  what is wrong with a configuration, with line and column
  weir print /etc/flussonic             all parts merged, defaults and templates resolved
  weir hash-password                    the hash of a password, to be written into a configuration

Environment (STREAMER_ in place of FLUSSONIC_ works too, and wins):
  FLUSSONIC_HTTP        port, or ADDRESS:PORT, of an HTTP listener besides those of the configuration
  FLUSSONIC_EDIT_AUTH   LOGIN:PASSWORD of the administrator
  FLUSSONIC_EDIT_AUTH_FILE
                        a file with the same, read anew when it changes
  FLUSSONIC_SECRETS_STORAGE
                        k8s://SECRET: the Kubernetes Secret that keeps the server's id and credentials
  FLUSSONIC_HOSTNAME    the name of this server
  FLUSSONIC_LOG_LEVEL   none, alert, critical, error, warning, notice, info or debug
  LICENSE_KEY           accepted and not needed

Every directive: docs/config.md. Every error: docs/errors.md.`;

function port(text: string): number {
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number > 65_535)
    throw new InvalidArgumentError("a port is a number from 0 to 65535.");
  return number;
}

const io = processIo();
const program = new Command("weir")
  .description(
    "A media server for live video: publish over RTMP, watch over HLS, serve MP4 files as they are.",
  )
  .version(VERSION, "-V, --version", "print the version")
  .helpOption("-h, --help", "print this help")
  .showHelpAfterError("(weir --help says what there is)")
  .addHelpText("after", EPILOGUE);

program
  .command("serve")
  .description("run the server until SIGTERM or Ctrl-C")
  .option(
    "-c, --config <path>",
    "configuration: a directory with flussonic.conf and flussonic.conf.d, or a file",
    DEFAULT_CONFIG,
  )
  .option("--demo", "use the built-in demo configuration instead", false)
  .addOption(new Option("--host <address>", "demo: address to listen on").default("127.0.0.1"))
  .addOption(new Option("--http-port <port>", "demo: HTTP port").default(8080).argParser(port))
  .addOption(new Option("--rtmp-port <port>", "demo: RTMP port").default(1935).argParser(port))
  .action(async (options) => {
    process.exitCode = await serveCommand(options, io);
  });

program
  .command("check")
  .description("check configurations: print every problem, exit 1 when there is an error")
  .argument("<path...>", "files or directories, read together as one configuration")
  .addOption(
    new Option("--format <format>", "how to print problems").choices(["text", "json"]).default("text"),
  )
  .action(async (paths, options) => {
    process.exitCode = await checkCommand({ paths, format: options.format }, io);
  });

program
  .command("print")
  .description("print a configuration as the server understands it: merged, resolved, passwords masked")
  .argument("[path]", "file or directory", DEFAULT_CONFIG)
  .option("--show-secrets", "print passwords instead of masking them", false)
  .action(async (path, options) => {
    process.exitCode = await printCommand({ path, showSecrets: options.showSecrets }, io);
  });

program
  .command("hash-password")
  .description("print the hash of a password or token, which is asked for or read from standard input")
  .addOption(
    new Option("--algorithm <name>", "sha256 is for random tokens only")
      .choices(HASH_ALGORITHMS)
      .default("scrypt"),
  )
  .action(async (options: { algorithm: HashAlgorithm }) => {
    // Not for who serves.
    const { hashPasswordCommand } = await import("./hash-password.ts");
    const { readSecret } = await import("./read-secret.ts");
    process.exitCode = await hashPasswordCommand(options, io, () => readSecret(io));
  });

await program.parseAsync();
