import { randomBytes } from "node:crypto";
import type { Clock, Timer } from "../base/clock.ts";
import { asMediaError, messageOf } from "../base/errors.ts";
import type { MediaError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { KubernetesApi, ObjectName, Secret } from "./api.ts";
import { kubernetesErrors } from "./errors.ts";
import { EDIT_AUTH_KEY, readEditAuth, readServerId } from "./kept-values.ts";
import type { CredentialsReader, KeptCredentials } from "./kept-values.ts";

/** The Secret of the state; without `namespace`, of the pod's own. */
export type StateSecret = { readonly namespace?: string; readonly name: string };

/** What the state is made of. */
export type SecretStateOptions = {
  readonly api: KubernetesApi;
  readonly secret: StateSecret;
  readonly clock: Clock;
  readonly log: Logger;
  /** What the server goes by until the Secret is read, and what is put there when it has none. */
  readonly serverId: string;
  /** The key that the id is kept under; see `serverIdKey`. */
  readonly serverIdKey: string;
  /** Whether credentials are wanted: the configuration gives none. */
  readonly wantsCredentials: boolean;
  readonly readCredentials: CredentialsReader;
  /** 0 to 1, for the spread of back-offs; `Math.random` unless given. */
  readonly random?: () => number;
};

/** Longest that a start waits for the API server. */
export const START_WAIT_MS = 2000;

const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 60_000;
/** Pods that start together should not ask together: up to so much is added to a delay. */
const SPREAD = 0.2;
/** How often the Secret is read anew because somebody else wrote it at the same moment. */
const MAX_CONFLICTS = 5;
const LOGIN = "admin";
const PASSWORD_BYTES = 18;

/**
 * What the server remembers across pods: its id and, where the configuration gives none, the administrator's
 * credentials. They are kept in one Secret, which pods that start together share: the first who writes decides,
 * whoever comes second reads what stands there.
 *
 * Nothing is thrown. What goes wrong is one line in the log, and while it stays the same no other; it is tried again,
 * with growing pauses of up to a minute. Until then the server has the id it was given and no credentials.
 */
export class SecretState {
  readonly #options: SecretStateOptions;
  readonly #random: () => number;
  #wants: boolean;
  #serverId: string;
  #credentials: KeptCredentials | undefined;
  #kept = false;
  #running = false;
  #again = false;
  #stopped = false;
  #timer: Timer | null = null;
  #delayMs = FIRST_DELAY_MS;
  #complaint = "";

  constructor(options: SecretStateOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#wants = options.wantsCredentials;
    this.#serverId = options.serverId;
  }

  /** The server's id: the kept one as soon as it is known. */
  get serverId(): string {
    return this.#serverId;
  }

  /** The kept credentials; absent while none are wanted or known. */
  get credentials(): KeptCredentials | undefined {
    return this.#wants ? this.#credentials : undefined;
  }

  /** Resolves once the Secret was asked for the first time, after `START_WAIT_MS` at the latest. Never rejects. */
  async start(): Promise<void> {
    let timer: Timer | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = this.#options.clock.schedule(START_WAIT_MS, resolve);
    });
    await Promise.race([this.#run(), limit]);
    timer?.cancel();
  }

  /** After a new configuration: whether it gives no credentials. */
  wantCredentials(wanted: boolean): void {
    this.#wants = wanted;
    if (!wanted || this.#credentials !== undefined || this.#stopped) return;
    this.#timer?.cancel();
    void this.#run();
  }

  /** Nothing is asked or taken over after this; idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #run(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    do {
      this.#again = false;
      await this.#attempt();
    } while (this.#again && !this.#stopped);
    this.#running = false;
  }

  async #attempt(): Promise<void> {
    try {
      await this.#settle();
      this.#delayMs = FIRST_DELAY_MS;
      this.#complaint = "";
    } catch (caught) {
      if (!this.#stopped) this.#failed(caught);
    }
  }

  #failed(caught: unknown): void {
    const error = asMediaError(caught);
    const reason = messageOf(caught);
    const isTriedAgain = error === null || error.disposition === "retry";
    const { clock, log, secret } = this.#options;
    if (reason === this.#complaint) log.debug("the state in a Secret still cannot be kept", { reason });
    else log.warn(complaintOf(error), { reason, code: error?.code, secret: secret.name, isTriedAgain });
    this.#complaint = reason;
    if (!isTriedAgain) return;
    const delayMs = this.#delayMs * (1 + SPREAD * this.#random());
    this.#delayMs = Math.min(MAX_DELAY_MS, this.#delayMs * 2);
    this.#timer?.cancel();
    this.#timer = clock.schedule(delayMs, () => void this.#run());
  }

  /** Reads what is kept, and writes what is missing. Rejects when something of it could not be done. */
  async #settle(): Promise<void> {
    const { api, secret } = this.#options;
    const name = { namespace: secret.namespace ?? (await api.namespace()), name: secret.name };
    for (let conflicts = 0; ; conflicts++) {
      const found = await api.readSecret(name);
      if (this.#stopped) return;
      const { missing, fault } = this.#takeOver(name, found);
      if (Object.keys(missing).length > 0) {
        const lost = await this.#write(name, found, missing);
        if (lost !== null && conflicts < MAX_CONFLICTS) continue;
        if (lost !== null) throw lost;
      }
      if (fault !== null) throw fault;
      return;
    }
  }

  /** What the Secret has goes into force; what it has not is made up, and in force once it is written. */
  #takeOver(
    name: ObjectName,
    found: Secret | null,
  ): { missing: Record<string, string>; fault: MediaError | null } {
    const data = found?.data ?? {};
    const missing: Record<string, string> = {};
    let fault: MediaError | null = null;
    const { serverId, serverIdKey } = this.#options;
    const id = readServerId(data, serverIdKey);
    if (id === "absent") missing[serverIdKey] = serverId;
    else if ("fault" in id) fault = badSecret(name, serverIdKey, id.fault);
    else this.#takeId(name, id.value);
    if (!this.#wants) return { missing, fault };
    const auth = readEditAuth(data, this.#options.readCredentials);
    if (auth === "absent")
      missing[EDIT_AUTH_KEY] = `${LOGIN}:${randomBytes(PASSWORD_BYTES).toString("base64url")}`;
    else if ("fault" in auth) fault ??= badSecret(name, EDIT_AUTH_KEY, auth.fault);
    else this.#takeCredentials(name, auth.value);
    return { missing, fault };
  }

  /** Returns: the error when somebody else was faster, `null` when it is written. Rejects for any other reason. */
  async #write(
    name: ObjectName,
    found: Secret | null,
    missing: Readonly<Record<string, string>>,
  ): Promise<MediaError | null> {
    const { api } = this.#options;
    try {
      if (found === null) await api.createSecret(name, missing);
      else await api.patchSecret(name, missing, found.resourceVersion);
    } catch (caught) {
      const error = asMediaError(caught);
      const isDeleted = error?.code === "KUBERNETES_NOT_FOUND" && found !== null;
      if (error !== null && (error.code === "KUBERNETES_CONFLICT" || isDeleted)) return error;
      if (error?.code === "KUBERNETES_FORBIDDEN" && found === null)
        throw kubernetesErrors.error("KUBERNETES_SECRET_MISSING", error.context, error);
      throw caught;
    }
    if (this.#stopped) return null;
    const id = missing[this.#options.serverIdKey];
    if (id !== undefined) this.#takeId(name, id);
    if (missing[EDIT_AUTH_KEY] !== undefined) {
      const read = this.#options.readCredentials(missing[EDIT_AUTH_KEY]);
      if ("credentials" in read) this.#takeCredentials(name, read.credentials);
    }
    return null;
  }

  #takeId(name: ObjectName, serverId: string): void {
    if (this.#kept && this.#serverId === serverId) return;
    this.#kept = true;
    this.#serverId = serverId;
    const { log, serverIdKey: key } = this.#options;
    log.info("the server's id is kept in a Secret", { secret: shown(name), key, serverId });
  }

  /** The password is not in the line; how to read it is. */
  #takeCredentials(name: ObjectName, credentials: KeptCredentials): void {
    const before = this.#credentials;
    this.#credentials = credentials;
    if (before !== undefined) return;
    this.#options.log.info("the login and password of the administrator are in a Secret", {
      secret: shown(name),
      read: `kubectl -n ${name.namespace} get secret ${name.name} -o jsonpath='{.data.${EDIT_AUTH_KEY}}' | base64 -d`,
    });
  }
}

function shown({ namespace, name }: ObjectName): string {
  return `${namespace}/${name}`;
}

function badSecret({ namespace, name }: ObjectName, key: string, reason: string): MediaError {
  return kubernetesErrors.error("KUBERNETES_BAD_SECRET", { namespace, name, key, reason });
}

function complaintOf(error: MediaError | null): string {
  return error?.code === "KUBERNETES_BAD_SECRET"
    ? "the state in a Secret is not as it should be; the server runs without that part of it"
    : "the state in a Secret cannot be kept; the server runs without it";
}
