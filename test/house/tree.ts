/** The files that the house rules look at. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The root of the project. */
export const root = resolve(import.meta.dirname, "../..");

/** The text of a file of the project. */
export function readProjectFile(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** All files that are, or would be, committed; paths from the root with `/`, in order. */
export function projectFiles(): string[] {
  // The tree may belong to another user than the one who tests, which git would refuse.
  const args = ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const output = execFileSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  const paths = output.split("\0").filter((path) => path !== "" && existsSync(join(root, path)));
  return [...new Set(paths)].toSorted();
}

/** The TypeScript files below `src/`, and the text of each. */
export function sourceTexts(): Map<string, string> {
  const paths = projectFiles().filter((path) => path.startsWith("src/") && path.endsWith(".ts"));
  return new Map(paths.map((path) => [path, readProjectFile(path)]));
}

/** Tests and fuzz targets: rules for what runs in the server do not bind them. */
export function isTestFile(path: string): boolean {
  return /\.(test|fuzz)\.ts$/.test(path);
}
