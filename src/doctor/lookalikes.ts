/** Bodies that are no metrics at all: what they look like. */
import { forEachSampleLine } from '../exposition/openmetrics.js';
import { parseSampleLine } from '../exposition/sample-line.js';
import type { Finding } from './finding.js';

const CODES: readonly string[] = ['answer_is_html', 'body_is_gzip', 'body_is_utf16', 'not_metrics'];

/** Whether a finding says that the body is no exposition at all: no verdict on it is worth a word. */
export function isNoMetrics({ code }: Finding): boolean {
  return CODES.includes(code);
}

/** Metrics have a sample among so many lines. */
const MAX_LINES = 1_000;
/** Enough to tell text from what is none. */
const HEAD_BYTES = 1_024;

/** Whether a line of `body[0, length)` can be read as a sample. */
export function hasSample(body: Buffer, length: number): boolean {
  let isFound = false;
  let lines = 0;
  forEachSampleLine(body, length, (start, newline) => {
    const end = body[newline - 1] === 0x0d ? newline - 1 : newline;
    isFound = parseSampleLine(body, start, end) !== undefined;
    return !isFound && ++lines < MAX_LINES;
  });
  return isFound;
}

/**
 * What a body without a sample is instead of metrics.
 * @param isAnswer of an endpoint, not a file
 * @returns undefined where it may well be metrics
 */
export function lookalikeFinding(body: Buffer, length: number, isAnswer: boolean): Finding | undefined {
  if (length === 0) return undefined;
  const head = body.subarray(0, Math.min(length, HEAD_BYTES));
  const what = isAnswer ? 'answer' : 'file';
  if (head[0] === 0x1f && head[1] === 0x8b)
    return error('body_is_gzip', `The ${what} is gzip, not text.`, isAnswer ? 'Answer with Content-Encoding: gzip, or do not compress.' : 'Unpack it first: gunzip -c FILE | exemplard check metrics -'); // biome-ignore format: one call
  if (isUtf16(head))
    return error('body_is_utf16', `The ${what} is text in UTF-16; metrics are UTF-8.`, isAnswer ? 'Write the body in UTF-8.' : 'Convert it first, as by iconv -f UTF-16 -t UTF-8 FILE.'); // biome-ignore format: one call
  const text = head.toString('latin1').trimStart();
  if (/^(<!doctype|<html|<head|<body)/i.test(text)) return htmlFinding(`The ${what} is a web page, not metrics.`); // biome-ignore format: one condition
  const kind = kindOf(head, text, body.subarray(0, length));
  if (kind === undefined) return undefined;
  return error('not_metrics', `The ${what} is not metrics: it looks like ${kind}.`, isAnswer ? 'Check the path (usually /metrics), and that nothing else listens there.' : 'Give what an endpoint for metrics answers; if it is protobuf, with --format=protobuf.'); // biome-ignore format: one call
}

export function htmlFinding(message: string): Finding {
  const next = 'Check the path (usually /metrics), and whether a login page or a proxy answers in its place.';
  return error('answer_is_html', message, next);
}

/** What is wrong with a body that should be protobuf: binary data is what it looks like even then. */
export function protobufFinding(body: Buffer, length: number, isAnswer: boolean, problem: Error): Finding {
  const lookalike = lookalikeFinding(body, length, isAnswer);
  if (lookalike !== undefined && lookalike.code !== 'not_metrics') return lookalike;
  return error('protobuf_unreadable', `This is no protobuf exposition: ${problem.message}.`, 'The format is io.prometheus.client.MetricFamily, each message behind its length; ask for another format if the library writes it otherwise.'); // biome-ignore format: one call
}

function error(code: string, message: string, next: string): Finding {
  return { code, severity: 'error', message, next };
}

/** What was meant as a sample: what is wrong with it is for the verdicts to say. */
const ALMOST_SAMPLE = /^[a-zA-Z_:][\w:.]*(\{|[ \t]+[-+.\dNI])/;

function kindOf(head: Buffer, text: string, body: Buffer): string | undefined {
  if (head.length >= 4 && head.readUInt32BE(0) === 0x28b52ffd) return 'zstd';
  if (isBinary(head)) return 'binary data';
  if (text.startsWith('<')) return 'XML';
  if (/^[[{]\s*(["{[\]}\d-]|true|false|null)/.test(text) && !/^\{"[^"]*"[,}]/.test(text)) return 'JSON';
  // Comments alone are an exposition without samples; lines that are malformed are for the verdicts.
  if (/^# (TYPE|HELP|UNIT|EOF)/m.test(text) || body.subarray(-8).includes('# EOF')) return undefined;
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.length === 0 || lines.some((line) => ALMOST_SAMPLE.test(line))
    ? undefined
    : 'text of another kind';
}

/** By its mark, or by every other byte of ASCII being zero. */
function isUtf16(head: Buffer): boolean {
  const [first, second] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  const pairs = Math.min(head.length, 64) >> 1;
  const zeros = (offset: number) => {
    let count = 0;
    for (let i = 0; i < pairs; i++) if (head[2 * i + offset] === 0) count++;
    return count;
  };
  const [even, odd] = [zeros(0), zeros(1)];
  return pairs >= 4 && Math.max(even, odd) > 0.9 * pairs && Math.min(even, odd) === 0;
}

/** A zero byte, or more than a few that no text has. */
function isBinary(head: Buffer): boolean {
  let odd = 0;
  for (const byte of head) {
    if (byte === 0) return true;
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) odd++;
  }
  return odd > head.length / 20;
}
