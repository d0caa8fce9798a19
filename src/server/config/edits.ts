import { isDeepStrictEqual } from "node:util";
import { asMediaError } from "../../base/errors.ts";
import type { Environment } from "../../config/environment.ts";
import { inSlices } from "../../base/slices.ts";
import type { Clock } from "../../base/clock.ts";
import { editFiles, filesToEdit } from "../../config/edit/edit-files.ts";
import type { ConfigEdit, EditedFile } from "../../config/edit/edit-files.ts";
import { configErrorStatus } from "../../config/edit/error-status.ts";
import type { ConfigErrorStatus } from "../../config/edit/error-status.ts";
import { editErrors } from "../../config/edit/errors.ts";
import { checkEnvironment } from "../../config/edit/from-environment.ts";
import { checkAllowedHosts, checkHosts } from "../../config/edit/hosts.ts";
import type { SourceFile } from "../../config/place.ts";
import type { Problem } from "../../config/problem.ts";
import { MAX_CONFIG_FILE_BYTES } from "./files.ts";
import type { ConfigFiles } from "./files.ts";
import type { LoadConfig } from "./memo.ts";
import { ownFileOf, readOnlyReason, reasonNotToWrite } from "./own-file.ts";
import type { OwnFile } from "./own-file.ts";
import { replaceFile } from "./replace-file.ts";

/** What became of reading the configuration anew. */
export type ReloadResult =
  | { readonly kind: "taken" }
  | { readonly kind: "refused"; readonly problems: readonly Problem[]; readonly reason: string };

/** What changes need. */
export type ConfigEditsOptions = {
  /** Of the configuration, a file or a directory. */
  readonly path: string;
  readonly env: Environment;
  readonly clock: Pick<Clock, "nowUs">;
  readonly read: () => Promise<ConfigFiles>;
  readonly load: LoadConfig;
  /** Reads the configuration anew; resolves when it is in force or refused. */
  readonly reload: () => Promise<ReloadResult>;
  /** Hosts that URLs may lead to, from the configuration in force. */
  readonly allowedHosts: () => readonly string[];
};

/** The configuration behind a change, or one that was refused with what is wrong in it. */
export type EditResult =
  | { readonly kind: "changed"; readonly files: readonly SourceFile[] }
  | { readonly kind: "bad"; readonly status: ConfigErrorStatus };

/** Changes that wait at most, with the one that is being made: as many as bodies of requests that one thread takes at once. */
export const MAX_WAITING_EDITS = 256;

/** Writings in a row that somebody else may get in the way of. */
const MAX_TRIES = 5;

/** A change that somebody waits for. */
type WaitingEdit = {
  readonly edit: ConfigEdit;
  settle(outcome: Outcome): void;
};

/** What became of a change: its result, or the error that refuses it. */
type Outcome = EditResult | { readonly kind: "failed"; readonly error: unknown };

/** Changes one after the other in one file: what it becomes, and what comes of each should that be put in force. */
type Drafts = { readonly edited: EditedFile | null; readonly outcomes: readonly Outcome[] };

/**
 * Changes the configuration's own files, one change after the other: the whole is checked, written in one step, put in
 * force, and taken back where that fails. Changes of objects that came while another one was made are checked, written and put in
 * force together; where that cannot be done, each by itself, so that one that is wrong does no harm to the others.
 */
export class ConfigEdits {
  readonly #options: ConfigEditsOptions;
  #waiting: WaitingEdit[] = [];
  #unsettled = 0;
  #isRunning = false;

  constructor(options: ConfigEditsOptions) {
    this.#options = options;
  }

  /** The files as they are now. */
  async files(): Promise<readonly SourceFile[]> {
    return (await this.#options.read()).files;
  }

  /** What would come of a text in the place of the own file; nothing is changed. */
  async check(text: string): Promise<ConfigErrorStatus> {
    const { path, read, load, env } = this.#options;
    const { files } = await read();
    const { file } = await ownFileOf(path);
    return configErrorStatus(await load(withFile(files, { file, text }), env));
  }

  /** Makes a change; resolves when it is in force. Rejects with a `MediaError`: nothing is changed then. */
  edit(edit: ConfigEdit): Promise<EditResult> {
    if (this.#unsettled >= MAX_WAITING_EDITS) {
      return Promise.reject(editErrors.error("EDIT_BUSY", { limit: MAX_WAITING_EDITS }));
    }
    this.#unsettled++;
    const { promise, resolve, reject } = Promise.withResolvers<EditResult>();
    const settle = (outcome: Outcome): void => {
      this.#unsettled--;
      if (outcome.kind === "failed") reject(outcome.error);
      else resolve(outcome);
    };
    this.#waiting.push({ edit, settle });
    void this.#run();
    return promise;
  }

  /** Makes what waits, until nothing does. Never rejects. */
  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#waiting.length > 0) await this.#makeAll(this.#waiting.splice(0, this.#nextCount()));
    this.#isRunning = false;
  }

  /** How many of those that wait are made together: one, or changes of objects alone. */
  #nextCount(): number {
    const other = this.#waiting.findIndex(
      ({ edit: { action } }) => action !== "put" && action !== "delete",
    );
    return other === -1 ? this.#waiting.length : Math.max(1, other);
  }

  async #makeAll(batch: readonly WaitingEdit[]): Promise<void> {
    const outcomes = await this.#together(batch.map(({ edit }) => edit));
    if (outcomes === null) for (const one of batch) await this.#makeAll([one]);
    else for (const [i, one] of batch.entries()) one.settle(outcomes[i]!);
  }

  /** Makes changes in their order. Returns: what became of each; `null`: nothing is changed, and they are to be made one by one. */
  async #together(edits: readonly ConfigEdit[]): Promise<readonly Outcome[] | null> {
    const all = (outcome: Outcome): Outcome[] => edits.map(() => outcome);
    const isOne = edits.length === 1;
    try {
      let file = "";
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const { files } = await this.#options.read();
        const drafts = await this.#draftAll(files, edits);
        if (drafts === null) return null;
        const { edited, outcomes } = drafts;
        if (edited === null || edited.text === edited.before) return outcomes;
        file = edited.file;
        const status = await this.#faultsOf(files, edited);
        if (status !== null) return isOne ? all({ kind: "bad", status }) : null;
        if (!(await write(edited))) continue;
        const failure = await this.#putInForce(edited);
        if (failure === null) return outcomes;
        return isOne || !failure.isBack ? all({ kind: "failed", error: failure.error }) : null;
      }
      throw editErrors.error("EDIT_OVERTAKEN", { file });
    } catch (error) {
      return isOne ? all({ kind: "failed", error }) : null;
    }
  }

  /** The texts that changes lead to, each over those before it. Returns: `null` when they are in several files. */
  async #draftAll(files: readonly SourceFile[], edits: readonly ConfigEdit[]): Promise<Drafts | null> {
    const own = await ownFileOf(this.#options.path);
    const outcomes: Outcome[] = [];
    let now = files;
    let whole: EditedFile | null = null;
    for (const edit of edits) {
      try {
        const edited = await this.#draft(now, edit, own);
        if (edited.text !== edited.before) {
          if (whole !== null && whole.file !== edited.file) return null;
          whole = { ...(whole ?? edited), text: edited.text };
          now = withFile(now, edited);
        }
        outcomes.push({ kind: "changed", files: now });
      } catch (error) {
        outcomes.push({ kind: "failed", error });
      }
    }
    return { edited: whole, outcomes };
  }

  /** The text of the file that a change leads to; the whole is not checked yet. Rejects when the change is refused. */
  async #draft(files: readonly SourceFile[], edit: ConfigEdit, own: OwnFile): Promise<EditedFile> {
    const { allowedHosts, clock } = this.#options;
    const what =
      edit.action === "put" || edit.action === "delete"
        ? `${edit.kind} "${edit.name}"`
        : "the configuration";
    const known = await inSlices(filesToEdit(files, edit), { clock });
    const edited = editFiles(known, edit, () => {
      if (own.reason !== null) throw readOnly(`${what} (${own.file})`, own.reason);
      return own.file;
    });
    if (edited.text === edited.before) return edited;
    if (edit.action === "settings") this.#checkSettings(known, edit.value);
    const reason = edited.file === own.file ? own.reason : await readOnlyReason(edited.file);
    if (reason !== null) throw readOnly(`${what} (${edited.file})`, reason);
    if (Buffer.byteLength(edited.text) > MAX_CONFIG_FILE_BYTES) {
      throw editErrors.error("EDIT_FILE_TOO_BIG", { file: edited.file, limitBytes: MAX_CONFIG_FILE_BYTES });
    }
    checkHosts(edited.before ?? "", edited.text, allowedHosts());
    return edited;
  }

  /** What is wrong in the whole with one file changed; `null`: nothing. Throws: EDIT_HOSTS_WIDENED. */
  async #faultsOf(files: readonly SourceFile[], edited: EditedFile): Promise<ConfigErrorStatus | null> {
    const { load, env, allowedHosts } = this.#options;
    const loaded = await load(withFile(files, edited), env);
    if (loaded.config === undefined) return configErrorStatus(loaded);
    const { allowedHosts: hosts } = loaded.config;
    // The file may have another list than the one in force: who writes it has not had it read yet.
    if (!isDeepStrictEqual(hosts, allowedHosts()))
      checkAllowedHosts((await load(files, env)).config?.allowedHosts ?? allowedHosts(), hosts);
    return null;
  }

  /** What a variable says may be given back as it is. */
  #checkSettings(
    files: readonly SourceFile[],
    value: Extract<ConfigEdit, { action: "settings" }>["value"],
  ): void {
    for (const [setting, one] of Object.entries(value)) {
      const edited = editFiles(files, { action: "settings", value: { [setting]: one } }, () => "");
      if (edited.text !== edited.before) checkEnvironment(setting, this.#options.env);
    }
  }

  /** What cannot be put in force is taken back, unless somebody else has changed the file since. Returns: `null`: it is in force. */
  async #putInForce({ file, before, text }: EditedFile): Promise<{ error: Error; isBack: boolean } | null> {
    const result = await this.#options.reload();
    if (result.kind === "taken") return null;
    const isBack = await replaceFile(file, before, text).catch(() => false);
    if (isBack) await this.#options.reload();
    return { error: editErrors.error("EDIT_NOT_IN_FORCE", { reason: result.reason }), isBack };
  }
}

async function write({ file, text, before }: EditedFile): Promise<boolean> {
  try {
    return await replaceFile(file, text, before);
  } catch (caught) {
    if (asMediaError(caught) !== null) throw caught;
    const reason = reasonNotToWrite(caught);
    const isReadOnly =
      caught instanceof Error && "code" in caught && READ_ONLY.includes(String(caught.code));
    throw isReadOnly
      ? readOnly(file, reason)
      : editErrors.error("EDIT_NOT_WRITTEN", { file, reason }, caught);
  }
}

const READ_ONLY: readonly string[] = ["EACCES", "EPERM", "EROFS", "EBUSY", "EXDEV", "ENOENT"];

function readOnly(what: string, reason: string): Error {
  return editErrors.error("EDIT_READ_ONLY", { what, reason });
}

/** The files with one of them changed; one that is not among them is read first, as the main file is. */
function withFile(files: readonly SourceFile[], { file, text }: SourceFile): SourceFile[] {
  if (!files.some((one) => one.file === file)) return [{ file, text }, ...files];
  return files.map((one) => (one.file === file ? { file, text } : one));
}
