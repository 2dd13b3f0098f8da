import { type Metadata, NO_METADATA } from '../model/metadata.js';
import { typeOfComment } from './openmetrics.js';
import { unescapeText } from './sample-line.js';

const NEWLINE = 0x0a;
const LETTER_T = 0x54;
const LETTER_H = 0x48;
const LETTER_U = 0x55;

/** Of a longer line the rest is left out: help is prose of a line or two. */
const MAX_COMMENT_BYTES = 16 * 1024;

/** By the type of a family: what its samples have behind its name. Nothing is always allowed, as Prometheus does. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total', '_created'],
  histogram: ['_bucket', '_count', '_sum', '_created'],
  gaugehistogram: ['_bucket', '_gcount', '_gsum'],
  summary: ['_count', '_sum', '_created'],
  info: ['_info'],
};

/** `# TYPE family text` and the like. */
interface Comment {
  readonly at: number;
  readonly family: string;
  readonly text: string;
}

/**
 * The TYPE, HELP and UNIT line met last, which are about the series behind them if the names fit. To meet one costs a
 * note of where it stands; it is read when somebody asks, which is when a new series turns up.
 */
export class FamilyComments {
  #body: Buffer = Buffer.alloc(0);
  #typeAt = -1;
  #helpAt = -1;
  #unitAt = -1;
  #metricType: string | undefined;
  #metricTypeAt = -1;
  readonly #read = new Map<string, Comment>();

  begin(body: Buffer): void {
    this.#body = body;
    this.#typeAt = this.#helpAt = this.#unitAt = -1;
    this.#metricTypeAt = -1;
    this.#metricType = undefined;
    this.#read.clear();
  }

  /** A comment line starts at `hash`. */
  meet(hash: number): void {
    const letter = this.#body[hash + 2];
    if (letter === LETTER_T) this.#typeAt = hash;
    else if (letter === LETTER_H) this.#helpAt = hash;
    else if (letter === LETTER_U) this.#unitAt = hash;
  }

  /** Of the TYPE line met last, whatever family it is about: by it Prometheus rewrites `le` and `quantile`. */
  get metricType(): string | undefined {
    if (this.#metricTypeAt !== this.#typeAt) {
      this.#metricType = typeOfComment(this.#body, this.#typeAt);
      this.#metricTypeAt = this.#typeAt;
    }
    return this.#metricType;
  }

  /** What the lines say of the series whose metric name this is. */
  metadataOf(name: string): Metadata {
    const type = this.#comment('TYPE', this.#typeAt);
    const isTyped = type !== undefined && isSampleOf(name, type.family, type.text);
    const family = isTyped ? type.family : name;
    const help = this.#textFor(family, 'HELP', this.#helpAt);
    const unit = this.#textFor(family, 'UNIT', this.#unitAt);
    if (!isTyped && help === '' && unit === '') return NO_METADATA;
    return { type: isTyped ? type.text : '', help: unescapeText(help), unit };
  }

  #textFor(family: string, keyword: string, at: number): string {
    const comment = this.#comment(keyword, at);
    return comment?.family === family ? comment.text : '';
  }

  #comment(keyword: string, at: number): Comment | undefined {
    const known = this.#read.get(keyword);
    if (known?.at === at) return known;
    const comment = at < 0 ? undefined : readComment(this.#body, at, keyword);
    if (comment === undefined) this.#read.delete(keyword);
    else this.#read.set(keyword, comment);
    return comment;
  }
}

function isSampleOf(name: string, family: string, type: string): boolean {
  if (!name.startsWith(family)) return false;
  const suffix = name.slice(family.length);
  return suffix === '' || (Object.hasOwn(SUFFIXES, type) && SUFFIXES[type]!.includes(suffix));
}

const NAMED_TEXT = /^(?:"((?:[^"\\]|\\.)*)"|([^ "]+))(?: (.*))?$/s;

function readComment(body: Buffer, at: number, keyword: string): Comment | undefined {
  const start = at + `# ${keyword} `.length;
  if (body.toString('latin1', at, start) !== `# ${keyword} `) return undefined;
  const newline = body.indexOf(NEWLINE, at);
  const end = Math.min(newline < 0 ? body.length : newline, start + MAX_COMMENT_BYTES);
  const [, quoted, plain, text = ''] = NAMED_TEXT.exec(body.toString('utf8', start, end)) ?? [];
  const family = quoted === undefined ? plain : unescapeText(quoted);
  return family === undefined ? undefined : { at, family, text };
}
