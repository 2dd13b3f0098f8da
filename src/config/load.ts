/** A configuration file → what every part needs, or everything that is wrong with it. */
import { parseDocument, START, TOO_DEEP } from './document.js';
import { type ConfigIssue, IssueReport } from './issue.js';
import { maskSecrets } from './mask.js';
import { type Config, ROOT_KEYS, resolveConfig } from './schema.js';
import { readRoot } from './table.js';
import { readTextFile } from './text-file.js';

export type ConfigResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly ConfigIssue[] }
  | {
      readonly ok: false;
      readonly errors: readonly ConfigIssue[];
      readonly warnings: readonly ConfigIssue[];
    };

/**
 * Never throws: whatever is wrong with the text is in the errors, all of it, in the order of the file.
 * Reads the files with secrets that the text names, relative to the directory of `fileName`.
 * @param environment what `external_labels` may refer to
 */
export function loadConfig(
  text: string,
  fileName: string,
  environment: NodeJS.ProcessEnv = process.env,
): ConfigResult {
  const report = new IssueReport(fileName);
  const config = readConfig(text, fileName, environment, report);
  const { errors, warnings } = report;
  return config !== undefined && errors.length === 0
    ? { ok: true, config, warnings }
    : { ok: false, errors, warnings };
}

function readConfig(
  text: string,
  fileName: string,
  environment: NodeJS.ProcessEnv,
  report: IssueReport,
): Config | undefined {
  try {
    const document = parseDocument(text, report);
    const root = document && readRoot(ROOT_KEYS, document, report);
    const options = root && resolveConfig(root, fileName, environment, report);
    return options && !report.hasErrors ? { ...options, text: maskSecrets(text) } : undefined;
  } catch (error) {
    // Every walk over a document is a recursion; thousands of nested brackets exhaust the stack.
    if (error instanceof RangeError) return report.error(START, TOO_DEEP);
    throw error;
  }
}

/** As `loadConfig`; a file that cannot be read, or is not UTF-8, is an error in its first line. */
export function loadConfigFile(path: string, environment?: NodeJS.ProcessEnv): ConfigResult {
  return loadFile(path, false, environment);
}

/** As `loadConfigFile`, while another configuration runs: an editor may have cut the file off, and not yet written it. */
export function reloadConfigFile(path: string, environment?: NodeJS.ProcessEnv): ConfigResult {
  return loadFile(path, true, environment);
}

function loadFile(path: string, isRunning: boolean, environment?: NodeJS.ProcessEnv): ConfigResult {
  const report = new IssueReport(path);
  const text = readTextFile(path, report);
  if (text === '' && isRunning) report.error(START, 'the file is empty; the old configuration stays');
  else if (text !== undefined) return loadConfig(text, path, environment);
  return { ok: false, errors: report.errors, warnings: [] };
}
