import { goQuoted } from './exposition-error.js';
import { NumberKind } from './number-bytes.js';
import { PrometheusEntries } from './prometheus-entry.js';
import { OpenMetricsLexer } from './prometheus-openmetrics-lexer.js';
import { TOKEN_NAMES, Token } from './prometheus-tokens.js';

const UNDERSCORE = 0x5f;

const TYPES = new Set([
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
  'unknown',
]);
const LONGEST_TYPE = 'gaugehistogram'.length;

const NO_EOF = 'data does not end with # EOF';

/** What a scrape by Prometheus 3.14 makes of an OpenMetrics body. */
export class PrometheusOpenMetrics extends PrometheusEntries<OpenMetricsLexer> {
  constructor(body: Buffer, length: number) {
    super(body, length, new OpenMetricsLexer(body, length));
  }

  protected override readEntry(): boolean {
    const { lexer, labels } = this;
    const token = lexer.next();
    switch (token) {
      case Token.metricName:
        labels.begin();
        labels.setMetricName(lexer.start, lexer.at, false);
        return this.#readBehindName(lexer.next());
      case Token.braceOpen:
        labels.begin();
        return this.#readBehindName(token);
      case Token.help:
      case Token.type:
      case Token.unit:
        return this.#readMetadata(token);
      case Token.eofWord:
        return lexer.next() === Token.eof ? false : this.fail('unexpected data after # EOF');
      case Token.eof:
        return this.fail(NO_EOF, this.length);
      default:
        return this.unexpected('expected a valid start token', token);
    }
  }

  #readMetadata(keyword: Token): boolean {
    const { lexer, body } = this;
    const nameToken = lexer.next();
    if (nameToken !== Token.metricName)
      return this.unexpected(`expected metric name after ${TOKEN_NAMES[keyword]}`, nameToken);
    const { nameStart, nameEnd } = this;
    if (lexer.next() !== Token.text) return this.fail(`expected text in ${TOKEN_NAMES[keyword]}`);
    const start = lexer.start + 1;
    const end = Math.max(start, lexer.at - 1);
    if (keyword === Token.help) return this.checkHelp(start, end);
    if (keyword === Token.type) return this.#checkType(start, end);
    if (start === end || isUnitOf(body, nameStart, nameEnd, start, end)) return true;
    const unit = goQuoted(body, start, end);
    return this.fail(`unit ${unit} not a suffix of metric ${goQuoted(body, nameStart, nameEnd)}`);
  }

  #checkType(start: number, end: number): boolean {
    if (end - start <= LONGEST_TYPE && TYPES.has(this.body.toString('latin1', start, end))) return true;
    return this.fail(`invalid metric type ${goQuoted(this.body, start, end)}`, start);
  }

  #readBehindName(token: Token): boolean {
    let behind = token;
    if (behind === Token.braceOpen) {
      if (!this.readSeriesLabels(true)) return false;
      behind = this.lexer.next();
    }
    if (!this.labels.hasMetricName) return this.fail(`metric name not set while parsing: ${this.entryText}`);
    return this.#readValue(behind, 'metric') && this.#readBehindValue() && this.append();
  }

  #readValue(token: Token, after: string): boolean {
    if (token !== Token.value) return this.unexpected(`expected value after ${after}`, token);
    return this.number(this.lexer.start + 1) !== NumberKind.none;
  }

  #readBehindValue(): boolean {
    const token = this.lexer.next();
    switch (token) {
      case Token.eof:
        return this.fail(NO_EOF, this.length);
      case Token.comment:
        return this.#readExemplar();
      case Token.timestamp:
        return this.#readTimestamp('timestamp') && this.#readBehindTimestamp();
      default:
        // Whatever else stands here is refused as the start of the next entry.
        return true;
    }
  }

  #readBehindTimestamp(): boolean {
    const token = this.lexer.next();
    if (token === Token.linebreak) return true;
    if (token === Token.comment) return this.#readExemplar();
    return this.unexpected('expected next entry after timestamp', token);
  }

  #readTimestamp(what: string): boolean {
    const kind = this.number(this.lexer.start + 1);
    if (kind === NumberKind.finite) return true;
    if (kind === NumberKind.none) return false;
    const text = kind === NumberKind.nan ? 'NaN' : this.#isNegative() ? '-Inf' : '+Inf';
    return this.fail(`invalid ${what} ${text}`);
  }

  #isNegative(): boolean {
    return this.body[this.lexer.start + 1] === 0x2d;
  }

  #readExemplar(): boolean {
    const { lexer } = this;
    if (!this.#readExemplarLabels() || !this.#readValue(lexer.next(), 'exemplar labels')) return false;
    const token = lexer.next();
    if (token === Token.linebreak) return true;
    if (token === Token.eof) return this.fail(NO_EOF, this.length);
    if (token !== Token.timestamp) return this.unexpected('expected timestamp or comment', token);
    if (!this.#readTimestamp('exemplar timestamp')) return false;
    const behind = lexer.next();
    return (
      behind === Token.linebreak || this.unexpected('expected next entry after exemplar timestamp', behind)
    );
  }

  /** Names may repeat here, and their number and length do not matter: too long a set is left out later. */
  #readExemplarLabels(): boolean {
    const { lexer } = this;
    let token = lexer.next();
    while (token !== Token.braceClose) {
      if (token !== Token.labelName && token !== Token.quotedString)
        return this.unexpected('expected label name', token);
      token = lexer.next();
      if (token === Token.comma || token === Token.braceClose)
        return this.unexpected('expected label name', token);
      if (token !== Token.equal) return this.unexpected('expected equal', token);
      token = lexer.next();
      if (token !== Token.labelValue) return this.unexpected('expected label value', token);
      if (!this.checkLabelValue()) return false;
      token = lexer.next();
      if (token === Token.comma) token = lexer.next();
      else if (token !== Token.braceClose) return this.unexpected('expected comma or brace close', token);
    }
    return true;
  }
}

/** Whether `_unit` ends the name. */
function isUnitOf(body: Buffer, nameStart: number, nameEnd: number, start: number, end: number): boolean {
  const suffixAt = nameEnd - (end - start);
  if (suffixAt <= nameStart || body[suffixAt - 1] !== UNDERSCORE) return false;
  return body.compare(body, start, end, suffixAt, nameEnd) === 0;
}
