import { isDeepStrictEqual } from "node:util";
import { asMediaError } from "../base/errors.ts";
import type { Environment } from "../config/environment.ts";
import { inSlices } from "../base/slices.ts";
import type { Clock } from "../base/clock.ts";
import { editFiles, filesToEdit } from "../config/edit/edit-files.ts";
import type { ConfigEdit, EditedFile } from "../config/edit/edit-files.ts";
import { configErrorStatus } from "../config/edit/error-status.ts";
import type { ConfigErrorStatus } from "../config/edit/error-status.ts";
import { editErrors } from "../config/edit/errors.ts";
import { checkEnvironment } from "../config/edit/from-environment.ts";
import { checkAllowedHosts, checkHosts } from "../config/edit/hosts.ts";
import type { SourceFile } from "../config/place.ts";
import type { Problem } from "../config/problem.ts";
import { MAX_CONFIG_FILE_BYTES } from "./config-files.ts";
import type { ConfigFiles } from "./config-files.ts";
import type { LoadConfig } from "./config-memo.ts";
import { ownFileOf, readOnlyReason, reasonNotToWrite } from "./config-own-file.ts";
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

/** Changes that wait at most. */
export const MAX_WAITING_EDITS = 64;

/** Writings in a row that somebody else may get in the way of. */
const MAX_TRIES = 5;

/**
 * Changes the configuration's own files, one change after the other: the whole is checked, written in one step, put in
 * force, and taken back where that fails.
 */
export class ConfigEdits {
  readonly #options: ConfigEditsOptions;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

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
    if (this.#waiting >= MAX_WAITING_EDITS) {
      return Promise.reject(editErrors.error("EDIT_BUSY", { limit: MAX_WAITING_EDITS }));
    }
    this.#waiting++;
    const done = this.#last.then(() => this.#edit(edit)).finally(() => void this.#waiting--);
    this.#last = done.catch(() => {});
    return done;
  }

  async #edit(edit: ConfigEdit): Promise<EditResult> {
    let file = "";
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { files } = await this.#options.read();
      const made = await this.#make(files, edit);
      if (made.kind === "bad") return made;
      const { edited } = made;
      file = edited.file;
      if (edited.text === edited.before) return { kind: "changed", files };
      if (!(await write(edited))) continue;
      await this.#putInForce(edited);
      return { kind: "changed", files: withFile(files, edited) };
    }
    throw editErrors.error("EDIT_OVERTAKEN", { file });
  }

  /** The text of the file that changes, checked together with all others. */
  async #make(
    files: readonly SourceFile[],
    edit: ConfigEdit,
  ): Promise<{ kind: "made"; edited: EditedFile } | { kind: "bad"; status: ConfigErrorStatus }> {
    const { path, load, env, allowedHosts, clock } = this.#options;
    const own = await ownFileOf(path);
    const what =
      edit.action === "put" || edit.action === "delete"
        ? `${edit.kind} "${edit.name}"`
        : "the configuration";
    const known = await inSlices(filesToEdit(files, edit), { clock });
    const edited = editFiles(known, edit, () => {
      if (own.reason !== null) throw readOnly(`${what} (${own.file})`, own.reason);
      return own.file;
    });
    if (edited.text === edited.before) return { kind: "made", edited };
    if (edit.action === "settings") this.#checkSettings(known, edit.value);
    const reason = edited.file === own.file ? own.reason : await readOnlyReason(edited.file);
    if (reason !== null) throw readOnly(`${what} (${edited.file})`, reason);
    if (Buffer.byteLength(edited.text) > MAX_CONFIG_FILE_BYTES) {
      throw editErrors.error("EDIT_FILE_TOO_BIG", { file: edited.file, limitBytes: MAX_CONFIG_FILE_BYTES });
    }
    checkHosts(edited.before ?? "", edited.text, allowedHosts());
    const loaded = await load(withFile(files, edited), env);
    if (loaded.config === undefined) return { kind: "bad", status: configErrorStatus(loaded) };
    const { allowedHosts: hosts } = loaded.config;
    // The file may have another list than the one in force: who writes it has not had it read yet.
    if (!isDeepStrictEqual(hosts, allowedHosts()))
      checkAllowedHosts((await load(files, env)).config?.allowedHosts ?? allowedHosts(), hosts);
    return { kind: "made", edited };
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

  /** A change that cannot be put in force is taken back, unless somebody else has changed the file since. */
  async #putInForce({ file, before, text }: EditedFile): Promise<void> {
    const result = await this.#options.reload();
    if (result.kind === "taken") return;
    const isBack = await replaceFile(file, before, text).catch(() => false);
    if (isBack) await this.#options.reload();
    throw editErrors.error("EDIT_NOT_IN_FORCE", { reason: result.reason });
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
