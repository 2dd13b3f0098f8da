/** `scrape_config_files`: more jobs, in files of their own. */
import { dirname } from 'node:path';
import { parseDocument, quote } from './document.js';
import type { FileContext } from './http-client-schema.js';
import type { IssueReport } from './issue.js';
import { filesOf } from './matching-files.js';
import type { ScrapeSections } from './scrape-schema.js';
import { scrapeJobs } from './skipped-jobs.js';
import { readRoot, withDefault } from './table.js';
import { readTextFile } from './text-file.js';
import type { Located } from './value-type.js';

/** A pattern in the last part of a path alone. */
const PATTERN = /^[^*]*(\*[^/]*)?$/;

/** All that such a file may hold. */
const INCLUDED_KEYS = {
  scrape_configs: withDefault(scrapeJobs, [], 'What to scrape, in jobs.'),
};

/** The jobs of all files that the patterns match, relative to the directory of the file that names them. */
export function readIncludedFiles(
  patterns: readonly Located<string>[],
  context: FileContext,
): ScrapeSections[] {
  return patterns.flatMap(({ value, at }) => {
    if (PATTERN.test(value))
      return filesOf(value, context.directory).map((file) => readIncluded(file, context.report));
    context.report.error(at, `scrape_config_files: ${quote(value)} may have a * in its last part alone`);
    return [];
  });
}

function readIncluded(file: string, parent: IssueReport): ScrapeSections {
  const report = parent.forFile(file);
  const context = { directory: dirname(file), report };
  const text = readTextFile(file, report);
  const document = text === undefined ? undefined : parseDocument(text, report);
  const root = document && readRoot(INCLUDED_KEYS, document, report);
  return { sections: root?.values.scrape_configs ?? [], context };
}
