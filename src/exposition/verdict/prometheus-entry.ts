import { isUtf8 } from 'node:buffer';
import { type ExpositionError, errorAt, goQuoted } from './exposition-error.js';
import { goNumberError, NumberKind, numberKind } from './number-bytes.js';
import { PrometheusLabels } from './prometheus-labels.js';
import { type Lexer, TOKEN_NAMES, Token } from './prometheus-tokens.js';

const QUOTE = 0x22;

/** What both text formats have: how an entry is read off its tokens, and how Prometheus words what it refuses. */
export abstract class PrometheusEntries<L extends Lexer> {
  protected readonly body: Buffer;
  protected readonly length: number;
  protected readonly lexer: L;
  protected readonly labels: PrometheusLabels;
  /** Where the entry in hand starts. */
  protected entryAt = 0;
  #error: ExpositionError | undefined;

  constructor(body: Buffer, length: number, lexer: L) {
    this.body = body;
    this.length = length;
    this.lexer = lexer;
    this.labels = new PrometheusLabels(body);
  }

  /** Reads entry by entry. @returns the first error, undefined for a sound body */
  verdict(): ExpositionError | undefined {
    do this.entryAt = this.lexer.at;
    while (this.readEntry() && this.#error === undefined);
    return this.#error;
  }

  /** @returns false at the end of the body, or after an error */
  protected abstract readEntry(): boolean;

  /** @returns false, for the caller to return */
  protected fail(message: string, at = this.lexer.start): false {
    this.#error ??= errorAt(this.body, Math.min(at, this.length), message);
    return false;
  }

  protected unexpected(expectation: string, token: Token): false {
    // One byte more than was read, as far as there is one.
    const end = Math.min(this.length, this.lexer.at + 1);
    const got = goQuoted(this.body, this.lexer.start, end);
    const entry = goQuoted(this.body, this.entryAt, end);
    return this.fail(`${expectation}, got ${got} ("${TOKEN_NAMES[token]}") while parsing: ${entry}`);
  }

  protected get entryText(): string {
    return goQuoted(this.body, this.entryAt, Math.min(this.length, this.lexer.at));
  }

  /** The number that the token is from `start` on. @returns its kind, or none after telling why it is refused */
  protected number(start: number): NumberKind {
    const { body, lexer } = this;
    const kind = numberKind(body, start, lexer.at);
    if (kind > NumberKind.outOfRange) return kind;
    const why = goNumberError(body, start, lexer.at, goQuoted(body, start, lexer.at));
    this.fail(`${why} while parsing: ${this.entryText}`);
    return NumberKind.none;
  }

  protected checkLabelValue(): boolean {
    const { body, lexer } = this;
    const end = lexer.at;
    let at = lexer.start;
    while (at < end && body[at]! < 0x80) at++;
    if (at === end || isUtf8(body.subarray(at, end))) return true;
    return this.fail(`invalid UTF-8 label value: ${goQuoted(body, lexer.start, end)}`);
  }

  protected checkHelp(start: number, end: number): boolean {
    if (start >= end || isUtf8(this.body.subarray(start, end))) return true;
    return this.fail(`help text ${goQuoted(this.body, start, end)} is not a valid utf8 string`);
  }

  /**
   * Reads `name="value",…}` of a series behind its opening brace into `labels`.
   * @param needsComma between two labels
   */
  protected readSeriesLabels(needsComma: boolean): boolean {
    const { lexer, labels } = this;
    let token = lexer.next();
    while (token !== Token.braceClose) {
      const isQuoted = token === Token.quotedString;
      if (token !== Token.labelName && !isQuoted) return this.unexpected('expected label name', token);
      const start = lexer.start + Number(isQuoted);
      const end = lexer.at - Number(isQuoted);
      token = lexer.next();
      if (isQuoted && (token === Token.comma || token === Token.braceClose)) {
        // A string that stands alone is the metric name.
        if (labels.hasMetricName)
          return this.fail(`metric name already set while parsing: ${this.entryText}`);
        labels.setMetricName(start, end, true);
        if (token === Token.comma) token = lexer.next();
        continue;
      }
      if (token !== Token.equal) return this.unexpected('expected equal', token);
      token = lexer.next();
      if (token !== Token.labelValue) return this.unexpected('expected label value', token);
      if (!this.checkLabelValue()) return false;
      labels.add(start, end, isQuoted, lexer.start + 1, lexer.at - 1);
      token = lexer.next();
      if (token === Token.comma) token = lexer.next();
      else if (needsComma && token !== Token.braceClose)
        return this.unexpected('expected comma or brace close', token);
    }
    return true;
  }

  /** What happens once a series has been read whole. */
  protected append(): boolean {
    const refusal = this.labels.refusal();
    return refusal === undefined || this.fail(refusal, this.entryAt);
  }

  /** Bounds of the name that a comment line is about, without its quotes. */
  protected get nameStart(): number {
    return this.lexer.start + Number(this.body[this.lexer.start] === QUOTE);
  }

  protected get nameEnd(): number {
    return this.lexer.at - Number(this.body[this.lexer.start] === QUOTE);
  }
}
