import { randomUUID } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Credentials, ResolvedConfig } from "../config/plan.ts";
import { AuthFile } from "./credentials/auth-file.ts";
import type { KeptState } from "./kubernetes/kept-state.ts";

/** What the identity is made of. */
export type ServerIdentityOptions = {
  readonly config: ResolvedConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where the pod's service account is mounted, if not where Kubernetes does it. */
  readonly serviceAccount?: string | undefined;
};

/**
 * Who the server is, and whom its API lets in: from the configuration, from files that it names, or from the Secret that
 * FLUSSONIC_SECRETS_STORAGE names. The values may change at any moment; whoever asks, asks each time.
 */
export class ServerIdentity {
  readonly #options: ServerIdentityOptions;
  readonly #ownId = randomUUID();
  #config: ResolvedConfig;
  #editFile: AuthFile | null = null;
  #viewFile: AuthFile | null = null;
  #kept: KeptState | null = null;
  #stopped = false;

  constructor(options: ServerIdentityOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /** The kept id, or one made for this process. */
  get serverId(): string {
    return this.#kept?.state.serverId ?? this.#ownId;
  }

  /** The administrator's credentials; absent: nobody is let in as administrator. */
  get editAuth(): Credentials | undefined {
    const { editAuth, editAuthFile } = this.#config;
    if (editAuthFile !== undefined) return this.#editFile?.credentials;
    return editAuth ?? this.#kept?.state.credentials;
  }

  /** The reader's credentials. */
  get viewAuth(): Credentials | undefined {
    const { viewAuth, viewAuthFile } = this.#config;
    return viewAuthFile === undefined ? viewAuth : this.#viewFile?.credentials;
  }

  /** Reads the files and asks for the Secret; resolves after some 2 s at the latest. Never rejects. */
  async start(): Promise<void> {
    await Promise.all([this.#openFiles(), this.#startKept()]);
  }

  /**
   * A new configuration is in force, and with it the files that it names. Whom it let in before it lets in until a new
   * file was read: one that is not there yet, or never comes, locks nobody out. Resolves after some 2 s at the latest.
   */
  async configure(config: ResolvedConfig): Promise<void> {
    const before = { edit: this.editAuth, view: this.viewAuth };
    this.#config = config;
    this.#kept?.state.wantCredentials(wantsCredentials(config));
    await this.#openFiles(before);
  }

  /** What is known stays; nothing new is read. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#editFile?.close();
    this.#viewFile?.close();
    this.#kept?.stop();
  }

  async #openFiles(before: KnownBefore = {}): Promise<void> {
    if (this.#stopped) return;
    const { editAuthFile, viewAuthFile } = this.#config;
    const [edit, view] = [this.#editFile, this.#viewFile];
    this.#editFile = this.#replaced(edit, editAuthFile, "edit_auth_file", before.edit);
    this.#viewFile = this.#replaced(view, viewAuthFile, "view_auth_file", before.view);
    await Promise.all([
      this.#editFile === edit ? null : this.#editFile?.start(),
      this.#viewFile === view ? null : this.#viewFile?.start(),
    ]);
  }

  #replaced(
    file: AuthFile | null,
    path: string | undefined,
    directive: string,
    before: Credentials | undefined,
  ): AuthFile | null {
    if (file !== null && file.path === path) return file;
    file?.close();
    return path === undefined ? null : new AuthFile(path, directive, { ...this.#options, before });
  }

  async #startKept(): Promise<void> {
    const { config, log } = this.#options;
    const secret = config.secretsStorage;
    if (secret === undefined) return;
    try {
      // Loaded where it is used only: it brings TLS.
      const { keepState } = await import("./kubernetes/kept-state.ts");
      const wants = { serverId: this.#ownId, wantsCredentials: wantsCredentials(config) };
      const { hostname } = config;
      this.#kept = keepState({ ...this.#options, ...wants, secret, hostname });
    } catch (caught) {
      log.warn("the state in a Secret cannot be kept; the server runs without it", {
        reason: messageOf(caught),
      });
      return;
    }
    if (this.#stopped) this.#kept.stop();
    else await this.#kept.state.start();
  }
}

type KnownBefore = { readonly edit?: Credentials | undefined; readonly view?: Credentials | undefined };

function wantsCredentials(config: ResolvedConfig): boolean {
  return config.editAuth === undefined && config.editAuthFile === undefined;
}
