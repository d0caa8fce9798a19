/** docs/errors.md: every error code with what it means, made from the catalogues in `src/.../errors.ts`. */
import { posix } from "node:path";
import { pathToFileURL } from "node:url";
import type { ErrorCatalogue, ErrorSpec } from "../../src/base/errors.ts";
import { root } from "./tree.ts";

/** A code with where it is declared. */
export type ListedError = { readonly code: string; readonly spec: ErrorSpec; readonly declaredIn: string };

/** The catalogue files among paths from the root. `base/errors.ts` has the class and declares no code. */
export function catalogueFiles(paths: readonly string[]): string[] {
  return paths.filter((path) => /^src\/.*\/errors\.ts$/.test(path) && path !== "src/base/errors.ts");
}

/** All codes of the catalogues that these files export, in the order of the files. */
export async function listErrors(files: readonly string[]): Promise<ListedError[]> {
  const lists = await Promise.all(
    files.map(async (file) => {
      const exported = (await import(pathToFileURL(posix.join(root, file)).href)) as Record<
        string,
        unknown
      >;
      const catalogues = Object.values(exported).filter(isCatalogue);
      return catalogues.flatMap(({ specs }) =>
        Object.entries(specs).map(([code, spec]) => ({ code, spec, declaredIn: file })),
      );
    }),
  );
  return lists.flat();
}

function isCatalogue(value: unknown): value is ErrorCatalogue {
  return typeof value === "object" && value !== null && "specs" in value && "error" in value;
}

const HEAD = `# Errors

<!-- Made by "npm run docs" from the catalogues in src/; do not edit. -->

Every error that Weir tells somebody or writes into its log has one of these codes. What happens to the session or the
request is its disposition:

| disposition | what happens |
| --- | --- |
| \`skip-unit\` | the packet or sample is dropped and counted; the rest goes on |
| \`resync\` | everything up to the next random access point is dropped |
| \`close-session\` | the peer broke the protocol or a limit: its connection is closed |
| \`reject\` | the peer is told why: an HTTP status, an RTMP \`onStatus\` |
| \`retry\` | something outside failed for the moment: it is tried again, with growing pauses |
| \`fatal\` | the process cannot serve |
`;

/** The page. HTTP status only where an error is told to HTTP clients. */
export function renderErrorsPage(errors: readonly ListedError[]): string {
  const byFile = Map.groupBy(errors, ({ declaredIn }) => declaredIn);
  const sections = [...byFile].map(([file, listed]) => {
    const room = posix.dirname(file).replace(/^src\//, "");
    return `\n## ${room}\n${listed.map(renderError).join("")}`;
  });
  return HEAD + sections.join("");
}

function renderError({ code, spec }: ListedError): string {
  const status = spec.httpStatus === undefined ? "" : `, HTTP ${spec.httpStatus}`;
  return `\n### ${code}\n\n\`${spec.disposition}\`${status}: ${spec.message}\n\n${spec.doc}\n`;
}
