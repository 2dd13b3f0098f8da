import {
  LABEL_PART,
  LABEL_START,
  type Lexer,
  METRIC_PART,
  METRIC_START,
  NAME_BYTES,
  Token,
} from './prometheus-tokens.js';

const TAB = 0x09;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const State = {
  lineStart: 0,
  metaName: 1,
  metaText: 2,
  labels: 3,
  labelValue: 4,
  value: 5,
  timestamp: 6,
} as const;
type State = (typeof State)[keyof typeof State];

const KEYWORDS: readonly (readonly [Buffer, Token])[] = [
  [Buffer.from('HELP'), Token.help],
  [Buffer.from('TYPE'), Token.type],
];

/**
 * Tokens of a body in the classic text format as Prometheus cuts them, white space left out. It puts a newline behind
 * every body; here that stands at `body[length]` without being there. A NUL byte where a line starts ends the body.
 */
export class TextLexer implements Lexer {
  start = 0;
  at = 0;
  #state: State = State.lineStart;
  readonly #body: Buffer;
  readonly #length: number;

  constructor(body: Buffer, length: number) {
    this.#body = body;
    this.#length = length;
  }

  next(): Token {
    // A tie between white space and text goes to white space, so blank text is empty.
    const isText = this.#state === State.metaText;
    const from = this.at;
    while (this.#byte() === SPACE || this.#byte() === TAB) this.at++;
    if (isText && this.#byte() !== NEWLINE) this.at = from;
    if (this.at > this.#length) return Token.eof;
    this.start = this.at;
    switch (this.#state) {
      case State.lineStart:
        return this.#lineStart();
      case State.labels:
        return this.#labelPart();
      case State.labelValue:
        return this.#byte() === QUOTE ? this.#quoted(Token.labelValue, State.labels) : Token.invalid;
      case State.value:
        return this.#byte() === OPEN ? this.#take(Token.braceOpen, State.labels) : this.#value();
      case State.timestamp:
        return this.#byte() === NEWLINE ? this.#take(Token.linebreak, State.lineStart) : this.#timestamp();
      case State.metaName:
        if (this.#byte() === QUOTE) return this.#quoted(Token.metricName, State.metaText);
        return this.#name(METRIC_START, METRIC_PART, Token.metricName, State.metaText);
      case State.metaText:
        return this.#text();
    }
  }

  #byte(): number {
    return this.#byteAt(this.at);
  }

  #byteAt(at: number): number {
    if (at < this.#length) return this.#body[at]!;
    return at === this.#length ? NEWLINE : 0;
  }

  #take(token: Token, state: State): Token {
    this.at++;
    this.#state = state;
    return token;
  }

  #lineStart(): Token {
    switch (this.#byte()) {
      case 0:
        return this.#take(Token.eof, State.lineStart);
      case NEWLINE:
        return this.#take(Token.linebreak, State.lineStart);
      case OPEN:
        return this.#take(Token.braceOpen, State.labels);
      case HASH:
        return this.#comment();
      default:
        return this.#name(METRIC_START, METRIC_PART, Token.metricName, State.value);
    }
  }

  /** `# HELP` and `# TYPE` with a blank behind them; anything else behind a hash is a comment up to the newline. */
  #comment(): Token {
    this.at++;
    const isSpaced = this.#isBlank();
    while (this.#isBlank()) this.at++;
    const commentAt = this.at;
    // Behind `# `, NUL bytes are passed over, but for the first byte.
    const endsAtNul = !isSpaced || this.#byte() === 0;
    if (isSpaced) {
      const keyword = this.#keyword();
      if (keyword !== Token.invalid) return keyword;
    }
    const newline = this.#newline(commentAt);
    const nul = endsAtNul ? this.#body.subarray(commentAt, newline).indexOf(0) : -1;
    this.at = nul < 0 ? newline : commentAt + nul;
    return nul < 0 ? Token.comment : Token.eof;
  }

  #keyword(): Token {
    for (const [text, token] of KEYWORDS) {
      if (this.#byte() !== text[0]) continue;
      for (const expected of text) {
        if (this.#byte() !== expected) return Token.invalid;
        this.#advanceOverNul();
      }
      if (!this.#isBlank()) return Token.invalid;
      while (this.#isBlank()) this.#advanceOverNul();
      this.#state = State.metaName;
      return token;
    }
    return Token.invalid;
  }

  #isBlank(): boolean {
    return this.#byte() === SPACE || this.#byte() === TAB;
  }

  #advanceOverNul(): void {
    this.at++;
    while (this.at < this.#length && this.#body[this.at] === 0) this.at++;
  }

  /** The next newline, or the one that is put behind the body. */
  #newline(from: number): number {
    const found = this.#body.indexOf(NEWLINE, from);
    return found < 0 || found > this.#length ? this.#length : found;
  }

  #text(): Token {
    if (this.#byte() === 0) {
      this.#state = State.lineStart;
      return Token.text;
    }
    this.at = this.#newline(this.at);
    this.#state = State.lineStart;
    return Token.text;
  }

  #name(starts: number, part: number, token: Token, state: State): Token {
    if ((NAME_BYTES[this.#byte()]! & starts) === 0) return Token.invalid;
    let at = this.at + 1;
    while (at < this.#length && (NAME_BYTES[this.#body[at]!]! & part) !== 0) at++;
    this.at = at;
    this.#state = state;
    return token;
  }

  #labelPart(): Token {
    switch (this.#byte()) {
      case CLOSE:
        return this.#take(Token.braceClose, State.value);
      case EQUALS:
        return this.#take(Token.equal, State.labelValue);
      case COMMA:
        return this.#take(Token.comma, State.labels);
      case QUOTE:
        return this.#quoted(Token.quotedString, State.labels);
      default:
        return this.#name(LABEL_START, LABEL_PART, Token.labelName, State.labels);
    }
  }

  /** May hold newlines, and in a label value NUL bytes. */
  #quoted(token: Token, state: State): Token {
    const body = this.#body;
    const length = this.#length;
    const mayHaveNul = this.#state === State.labelValue;
    let at = this.at + 1;
    for (; at < length; at++) {
      const byte = body[at];
      if (byte === QUOTE) {
        at++;
        while (mayHaveNul && at < length && body[at] === 0) at++;
        this.at = at;
        this.#state = state;
        return token;
      }
      if (byte === 0 && !mayHaveNul) break;
      if (byte === BACKSLASH) {
        at++;
        while (mayHaveNul && at < length && body[at] === 0) at++;
        if (at >= length || body[at] === NEWLINE || body[at] === 0) break;
      }
    }
    // The newline that is not there may stand in quotes, too; what lacks is the closing one.
    this.at = at >= length ? length + 1 : at;
    return Token.invalid;
  }

  #value(): Token {
    const body = this.#body;
    let at = this.at;
    for (; at < this.#length; at++) {
      const byte = body[at];
      if (byte === SPACE || byte === TAB || byte === NEWLINE || byte === OPEN || byte === 0) break;
    }
    if (at === this.at) return Token.invalid;
    this.at = at;
    this.#state = State.timestamp;
    return Token.value;
  }

  #timestamp(): Token {
    let at = this.at;
    while (this.#byteAt(at) >= ZERO && this.#byteAt(at) <= NINE) at++;
    if (at === this.at) return Token.invalid;
    this.at = at;
    return Token.timestamp;
  }
}
