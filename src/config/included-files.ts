/** `scrape_config_files`: more jobs, in files of their own. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { compareBytewise } from '../model/labels.js';
import { compilePattern } from '../util/file-pattern.js';
import { parseDocument, quote } from './document.js';
import type { FileContext } from './http-client-schema.js';
import type { IssueReport } from './issue.js';
import type { ScrapeSections } from './scrape-schema.js';
import { readRoot, withDefault } from './table.js';
import { readTextFile } from './text-file.js';
import { scrapeJobs } from './unfound-jobs.js';
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
    if (PATTERN.test(value)) return filesOf(value, context).map((file) => readIncluded(file, context.report));
    context.report.error(at, `scrape_config_files: ${quote(value)} may have a * in its last part alone`);
    return [];
  });
}

/** In order. None where there is no such file or directory, as in Prometheus. */
export function filesOf(pattern: string, { directory }: Pick<FileContext, 'directory'>): string[] {
  const path = resolve(directory, pattern);
  const name = compilePattern(basename(path));
  try {
    const names = readdirSync(dirname(path)).filter((each) => name?.test(each) ?? each === basename(path));
    return names.sort(compareBytewise).map((each) => join(dirname(path), each));
  } catch {
    return [];
  }
}

function readIncluded(file: string, parent: IssueReport): ScrapeSections {
  const report = parent.forFile(file);
  const context = { directory: dirname(file), report };
  const text = readTextFile(file, report);
  const document = text === undefined ? undefined : parseDocument(text, report);
  const root = document && readRoot(INCLUDED_KEYS, document, report);
  return { sections: root?.values.scrape_configs ?? [], context };
}
