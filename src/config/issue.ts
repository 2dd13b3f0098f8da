/** What is wrong with, or worth saying about, a configuration file, and where. */

/** Both count from 1; columns count UTF-16 units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface ConfigIssue extends Position {
  readonly file: string;
  readonly message: string;
}

/** `FILE:LINE:COL: message`, which editors and terminals turn into a link. */
export function formatIssue(issue: ConfigIssue): string {
  return `${issue.file}:${issue.line}:${issue.column}: ${issue.message}`;
}

/** Collects the issues of a file and those it includes, so that a user sees all of them at once and not the first only. */
export class IssueReport {
  readonly #file: string;
  readonly #errors: ConfigIssue[] = [];
  readonly #warnings: ConfigIssue[] = [];
  readonly #included: IssueReport[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  get errors(): ConfigIssue[] {
    return [...this.#errors.toSorted(byPosition), ...this.#included.flatMap(({ errors }) => errors)];
  }

  get warnings(): ConfigIssue[] {
    return [...this.#warnings.toSorted(byPosition), ...this.#included.flatMap(({ warnings }) => warnings)];
  }

  get hasErrors(): boolean {
    return this.#errors.length > 0 || this.#included.some(({ hasErrors }) => hasErrors);
  }

  get file(): string {
    return this.#file;
  }

  /** For a file that this one includes; what it collects belongs to this report. */
  forFile(file: string): IssueReport {
    const report = new IssueReport(file);
    this.#included.push(report);
    return report;
  }

  /** Returns undefined, the value a reader gives for what it could not read. */
  error(at: Position, message: string): undefined {
    this.#errors.push({ file: this.#file, line: at.line, column: at.column, message });
  }

  warn(at: Position, message: string): void {
    this.#warnings.push({ file: this.#file, line: at.line, column: at.column, message });
  }

  /** Forgets the warnings that `work` gave about this file, where `isMoot` says so of what it returned; errors stay. */
  withoutWarnings<Result>(work: () => Result, isMoot: (result: Result) => boolean = () => true): Result {
    const count = this.#warnings.length;
    const result = work();
    if (isMoot(result)) this.#warnings.length = count;
    return result;
  }
}

function byPosition(a: Position, b: Position): number {
  return a.line - b.line || a.column - b.column;
}
