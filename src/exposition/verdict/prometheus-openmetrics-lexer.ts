import {
  LABEL_PART,
  LABEL_START,
  type Lexer,
  METRIC_PART,
  METRIC_START,
  NAME_BYTES,
  Token,
} from './prometheus-tokens.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const State = {
  lineStart: 0,
  comment: 1,
  metaName: 2,
  metaText: 3,
  labels: 4,
  labelValue: 5,
  value: 6,
  timestamp: 7,
  exemplar: 8,
  exemplarValue: 9,
  exemplarTimestamp: 10,
} as const;
type State = (typeof State)[keyof typeof State];

const KEYWORDS: readonly (readonly [Buffer, Token])[] = [
  [Buffer.from('HELP '), Token.help],
  [Buffer.from('TYPE '), Token.type],
  [Buffer.from('UNIT '), Token.unit],
  [Buffer.from('EOF'), Token.eofWord],
];

/**
 * Tokens of an OpenMetrics body as Prometheus cuts them, down to its NUL bytes: they are passed over in comments, help
 * and label values of series, and are an error elsewhere.
 */
export class OpenMetricsLexer implements Lexer {
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
    if (this.at >= this.#length) return Token.eof;
    this.start = this.at;
    switch (this.#state) {
      case State.lineStart:
        return this.#lineStart();
      case State.labels:
        return this.#labelPart(State.labelValue, State.value);
      case State.labelValue:
        return this.#labelValue();
      case State.value:
        if (this.#body[this.at] === OPEN) return this.#take(Token.braceOpen, State.labels);
        return this.#word(Token.value, State.timestamp);
      case State.timestamp:
        return this.#timestamp();
      case State.exemplar:
        return this.#labelPart(State.exemplarValue, State.exemplarValue);
      case State.exemplarValue:
        if (this.#body[this.at] === QUOTE) return this.#quoted(Token.labelValue, State.exemplar, false);
        return this.#word(Token.value, State.exemplarTimestamp);
      case State.exemplarTimestamp:
        if (this.#body[this.at] === NEWLINE) return this.#take(Token.linebreak, State.lineStart);
        return this.#word(Token.timestamp, State.exemplarTimestamp);
      case State.comment:
        return this.#keyword();
      case State.metaName:
        if (this.#body[this.at] === QUOTE) return this.#quoted(Token.metricName, State.metaText, true);
        return this.#name(METRIC_START, METRIC_PART, Token.metricName, State.metaText);
      case State.metaText:
        return this.#metaText();
    }
  }

  #take(token: Token, state: State): Token {
    this.at++;
    this.#state = state;
    return token;
  }

  #byte(): number {
    return this.at < this.#length ? this.#body[this.at]! : 0;
  }

  /** On to the next byte, NUL bytes passed over. */
  #advanceOverNul(): number {
    this.at++;
    while (this.at < this.#length && this.#body[this.at] === 0) this.at++;
    return this.#byte();
  }

  #lineStart(): Token {
    const byte = this.#byte();
    if (byte === OPEN) return this.#take(Token.braceOpen, State.labels);
    if (byte !== HASH) return this.#name(METRIC_START, METRIC_PART, Token.metricName, State.value);
    this.at++;
    if (this.#byte() !== SPACE) return Token.invalid;
    this.at++;
    this.#state = State.comment;
    return this.#keyword();
  }

  #keyword(): Token {
    const first = this.#byte();
    for (const [text, token] of KEYWORDS) {
      if (first !== text[0]) continue;
      let byte = first;
      for (const expected of text) {
        if (byte !== expected) return Token.invalid;
        byte = this.#advanceOverNul();
      }
      if (token === Token.eofWord && byte === NEWLINE) this.#advanceOverNul();
      this.#state = token === Token.eofWord ? State.lineStart : State.metaName;
      return token;
    }
    return Token.invalid;
  }

  #name(starts: number, part: number, token: Token, state: State): Token {
    const body = this.#body;
    if ((NAME_BYTES[this.#byte()]! & starts) === 0) return Token.invalid;
    let at = this.at + 1;
    while (at < this.#length && (NAME_BYTES[body[at]!]! & part) !== 0) at++;
    this.at = at;
    this.#state = state;
    return token;
  }

  #metaText(): Token {
    if (this.#byte() !== SPACE) return Token.invalid;
    const newline = this.#body.indexOf(NEWLINE, this.at);
    if (newline < 0 || newline >= this.#length) {
      this.at = this.#length;
      return Token.invalid;
    }
    this.at = newline;
    this.#advanceOverNul();
    this.#state = State.lineStart;
    return Token.text;
  }

  #labelPart(behindEqual: State, behindClose: State): Token {
    switch (this.#byte()) {
      case CLOSE:
        return this.#take(Token.braceClose, behindClose);
      case EQUALS:
        return this.#take(Token.equal, behindEqual);
      case COMMA:
        return this.#take(Token.comma, this.#state);
      case QUOTE:
        return this.#quoted(Token.quotedString, this.#state, this.#state === State.labels);
      default:
        return this.#name(LABEL_START, LABEL_PART, Token.labelName, this.#state);
    }
  }

  /** Of a series: NUL bytes may stand anywhere behind the opening quote, even behind the closing one. */
  #labelValue(): Token {
    if (this.#byte() !== QUOTE) return Token.invalid;
    const body = this.#body;
    const length = this.#length;
    let at = this.at + 1;
    for (; at < length; at++) {
      const byte = body[at];
      if (byte === QUOTE) {
        this.at = at;
        this.#advanceOverNul();
        this.#state = State.labels;
        return Token.labelValue;
      }
      if (byte === NEWLINE) break;
      if (byte === BACKSLASH) {
        at++;
        while (at < length && body[at] === 0) at++;
        if (at >= length || body[at] === NEWLINE) break;
      }
    }
    this.at = Math.min(at, length);
    return Token.invalid;
  }

  #quoted(token: Token, state: State, mayHaveNewline: boolean): Token {
    const body = this.#body;
    const length = this.#length;
    let at = this.at + 1;
    for (; at < length; at++) {
      const byte = body[at];
      if (byte === QUOTE) {
        this.at = at + 1;
        this.#state = state;
        return token;
      }
      if (byte === 0 || (byte === NEWLINE && !mayHaveNewline)) break;
      if (byte === BACKSLASH) {
        at++;
        if (at >= length || body[at] === NEWLINE || body[at] === 0) break;
      }
    }
    this.at = Math.min(at, length);
    return Token.invalid;
  }

  /** A space, and at least one byte that is none. */
  #word(token: Token, state: State): Token {
    const body = this.#body;
    if (this.#byte() !== SPACE) return Token.invalid;
    let at = this.at + 1;
    for (; at < this.#length; at++) {
      const byte = body[at];
      if (byte === SPACE || byte === NEWLINE || byte === 0) break;
    }
    const isEmpty = at === this.at + 1;
    this.at = at;
    if (isEmpty) return Token.invalid;
    this.#state = state;
    return token;
  }

  #timestamp(): Token {
    const body = this.#body;
    const at = this.at;
    if (body[at] === NEWLINE) return this.#take(Token.linebreak, State.lineStart);
    const isHash = body[at] === SPACE && at + 1 < this.#length && body[at + 1] === HASH;
    if (!isHash || at + 2 >= this.#length || body[at + 2] !== SPACE)
      return this.#word(Token.timestamp, State.timestamp);
    // ` # ` can only go on as an exemplar: the lexer does not take back what it has read.
    this.at = at + 3;
    if (this.#byte() !== OPEN) return Token.invalid;
    return this.#take(Token.comment, State.exemplar);
  }
}
