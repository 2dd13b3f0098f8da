import { readFileSync } from 'node:fs';
import { START } from './document.js';
import type { IssueReport } from './issue.js';

/** @returns undefined when it cannot be read, or is not UTF-8; the report then says so */
export function readTextFile(path: string, report: IssueReport): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const reason = error instanceof TypeError ? 'it is not UTF-8' : (error as Error).message;
    return report.error(START, `the file cannot be read: ${reason}`);
  }
}
