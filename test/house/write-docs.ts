/** `npm run docs`: writes the pages that are made from the source. Tests fail when a page is not current. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderMetricsPage } from "../../src/api/metrics/reference.ts";
import { renderEventsPage } from "../../src/api/events/events-page.ts";
import { renderConfigReference } from "../../src/config/reference.ts";
import { catalogueFiles, listErrors, renderErrorsPage } from "./errors-page.ts";
import { projectFiles, root } from "./tree.ts";

const pages: Record<string, string> = {
  "docs/config.md": renderConfigReference(),
  "docs/metrics.md": renderMetricsPage(),
  "docs/events.md": renderEventsPage(),
  "docs/errors.md": renderErrorsPage(await listErrors(catalogueFiles(projectFiles()))),
};

for (const [path, text] of Object.entries(pages)) {
  writeFileSync(join(root, path), text);
  console.log(path);
}
