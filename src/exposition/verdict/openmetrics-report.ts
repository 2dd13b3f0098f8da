import { columnOf, type ExpositionError } from './exposition-error.js';

/** Gathers errors up to a maximum. What is said of a place is said once. */
export class OpenMetricsReport {
  readonly errors: ExpositionError[] = [];
  readonly #body: Buffer;
  readonly #maxErrors: number;
  /** Of the line in hand. */
  line = 0;
  lineStart = 0;

  constructor(body: Buffer, maxErrors: number) {
    this.#body = body;
    this.#maxErrors = maxErrors;
  }

  get isFull(): boolean {
    return this.errors.length >= this.#maxErrors;
  }

  /** @param at a byte of the line in hand */
  add(at: number, message: string): void {
    this.addAt({ line: this.line, lineStart: this.lineStart, at }, message);
  }

  /** Where something in hand stands, for what only turns out later. */
  place(at: number): Place {
    return { line: this.line, lineStart: this.lineStart, at };
  }

  addAt({ line, lineStart, at }: Place, message: string): void {
    if (this.isFull) return;
    this.errors.push({ line, column: columnOf(this.#body, lineStart, at), message });
  }

  /** In the order of the body. */
  sorted(): ExpositionError[] {
    return this.errors.sort((a, b) => a.line - b.line || a.column - b.column);
  }
}

export interface Place {
  readonly line: number;
  readonly lineStart: number;
  readonly at: number;
}

const MAX_SHOWN = 80;

/** Text of the body in a message: quoted, and of bounded length. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

/** A name in a message, not quoted. */
export function named(name: string): string {
  return name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name;
}
