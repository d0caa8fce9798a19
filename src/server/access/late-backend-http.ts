import type { BackendReply, AskBackend } from "../../auth/backends/backend-request.ts";
import { messageOf } from "../../base/errors.ts";
import { late } from "../../base/late/late.ts";
import type { Late } from "../../base/late/late.ts";
import type { BackendHttp, BackendHttpOptions } from "./backend-http.ts";

/** Asks backends. The client, and Node's for HTTPS, are loaded when somebody may be asked: most servers never ask. */
export class LateBackendHttp {
  readonly #http: Late<BackendHttp>;
  #open: BackendHttp | null = null;
  #isClosed = false;

  constructor(options: BackendHttpOptions) {
    this.#http = late("questions to servers", async () => {
      const { BackendHttp } = await import("./backend-http.ts");
      this.#open = new BackendHttp(options);
      if (this.#isClosed) this.#open.close();
      return this.#open;
    });
  }

  readonly ask: AskBackend = async (request) => {
    try {
      return await this.#http((http) => http.ask(request));
    } catch (caught) {
      return { kind: "failed", reason: messageOf(caught), isTimeout: false } satisfies BackendReply;
    }
  };

  /** Loads it ahead of the first question, which would wait for it. Never rejects: the question says what is wrong. */
  async prepare(): Promise<void> {
    await Promise.resolve(this.#http(() => {})).catch(() => {});
  }

  /** Ends everything: what is on its way fails, and so does whatever is asked from now on. */
  close(): void {
    this.#isClosed = true;
    this.#open?.close();
  }
}
