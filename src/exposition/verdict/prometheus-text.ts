import { goQuoted } from './exposition-error.js';
import { NumberKind } from './number-bytes.js';
import { PrometheusEntries } from './prometheus-entry.js';
import { TextLexer } from './prometheus-text-lexer.js';
import { TOKEN_NAMES, Token } from './prometheus-tokens.js';

const ZERO = 0x30;

const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const LONGEST_TYPE = 'histogram'.length;
const MAX_INT64 = '9223372036854775807';

/** What a scrape by Prometheus 3.14 makes of a body in the classic text format, which has no exemplars. */
export class PrometheusText extends PrometheusEntries<TextLexer> {
  constructor(body: Buffer, length: number) {
    super(body, length, new TextLexer(body, length));
  }

  protected override readEntry(): boolean {
    const { lexer, labels } = this;
    const token = lexer.next();
    switch (token) {
      case Token.eof:
        return false;
      case Token.linebreak:
        return true;
      case Token.metricName:
        labels.begin();
        labels.setMetricName(lexer.start, lexer.at, false);
        return this.#readBehindName(lexer.next());
      case Token.braceOpen:
        labels.begin();
        return this.#readBehindName(token);
      case Token.help:
      case Token.type:
        return this.#readMetadata(token);
      case Token.comment:
        return this.#readLinebreak('linebreak expected after comment');
      default:
        return this.unexpected('expected a valid start token', token);
    }
  }

  #readLinebreak(expectation: string): boolean {
    const token = this.lexer.next();
    return token === Token.linebreak || this.unexpected(expectation, token);
  }

  #readMetadata(keyword: Token): boolean {
    const { lexer } = this;
    const nameToken = lexer.next();
    if (nameToken !== Token.metricName)
      return this.unexpected(`expected metric name after ${TOKEN_NAMES[keyword]}`, nameToken);
    const textToken = lexer.next();
    if (textToken !== Token.text)
      return this.fail(`expected text in ${TOKEN_NAMES[keyword]}, got ${TOKEN_NAMES[textToken]}`);
    // The first byte parts it from the name, whatever it is.
    const start = lexer.start + 1;
    const end = Math.max(start, lexer.at);
    const isSound = keyword === Token.help ? this.checkHelp(start, end) : this.#checkType(start, end);
    return isSound && this.#readLinebreak('linebreak expected after metadata');
  }

  #checkType(start: number, end: number): boolean {
    if (end - start <= LONGEST_TYPE && TYPES.has(this.body.toString('latin1', start, end))) return true;
    return this.fail(`invalid metric type ${goQuoted(this.body, start, end)}`, start);
  }

  #readBehindName(token: Token): boolean {
    const { lexer } = this;
    let behind = token;
    if (behind === Token.braceOpen) {
      if (!this.readSeriesLabels(false)) return false;
      behind = lexer.next();
    }
    if (!this.labels.hasMetricName) return this.fail(`metric name not set while parsing: ${this.entryText}`);
    if (behind !== Token.value) return this.unexpected('expected value after metric', behind);
    return this.number(lexer.start) !== NumberKind.none && this.#readBehindValue() && this.append();
  }

  #readBehindValue(): boolean {
    const token = this.lexer.next();
    if (token === Token.linebreak) return true;
    if (token !== Token.timestamp) return this.unexpected('expected timestamp or new record', token);
    return this.#checkTimestamp() && this.#readLinebreak('expected next entry after timestamp');
  }

  /** Milliseconds, in 64 bits. */
  #checkTimestamp(): boolean {
    const { body, lexer } = this;
    let start = lexer.start;
    while (start < lexer.at && body[start] === ZERO) start++;
    const digits = lexer.at - start;
    const fits =
      digits < MAX_INT64.length ||
      (digits === MAX_INT64.length && body.toString('latin1', start, lexer.at) <= MAX_INT64);
    if (fits) return true;
    const text = goQuoted(body, lexer.start, lexer.at);
    return this.fail(
      `strconv.ParseInt: parsing ${text}: value out of range while parsing: ${this.entryText}`,
    );
  }
}
