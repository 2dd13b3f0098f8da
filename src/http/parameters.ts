import type { FastifyRequest } from 'fastify';
import { parseGoFloat } from '../util/go-float.js';
import { parseDurationMs } from '../util/units.js';
import { badParameter } from './api-error.js';

/** Times further away than this are as good as none, and still exact in milliseconds. */
const MAX_TIME_MS = Number.MAX_SAFE_INTEGER;

/** What a form becomes; other bodies become nothing. A type, because the plugin wants an index signature. */
type FormBody = { readonly parameters: URLSearchParams };

export function parseForm(text: string): FormBody {
  return { parameters: new URLSearchParams(text) };
}

/** Parameters of a request: those of a form body first, then those of the URL, as Go's `FormValue` gives them. */
export class Parameters {
  readonly #url: URLSearchParams;
  readonly #form: URLSearchParams;

  constructor(request: FastifyRequest) {
    const query = request.url.indexOf('?');
    this.#url = new URLSearchParams(query < 0 ? '' : request.url.slice(query + 1));
    this.#form = (request.body as FormBody | undefined)?.parameters ?? new URLSearchParams();
  }

  text(name: string): string {
    return this.#form.get(name) ?? this.#url.get(name) ?? '';
  }

  all(name: string): string[] {
    return [...this.#form.getAll(name), ...this.#url.getAll(name)];
  }

  /**
   * Float seconds or RFC 3339, in milliseconds.
   * @throws {ApiError}
   */
  timeMs(name: string, ifMissing: number): number {
    const text = this.text(name);
    if (text === '') return ifMissing;
    const timeMs = parseTimeMs(text);
    if (timeMs === undefined) {
      throw badParameter(
        name,
        `invalid time value for '${name}': cannot parse ${JSON.stringify(text)} to a valid timestamp`,
      );
    }
    return timeMs;
  }

  /** @throws {ApiError} */
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    const value = parseFloatText(text);
    if (value === undefined || Number.isNaN(value))
      throw badParameter(name, `cannot parse ${JSON.stringify(text)} as a number`);
    return value;
  }

  /** A whole number, 1 or more. @throws {ApiError} */
  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    if (!/^\d{1,15}$/.test(text) || Number(text) === 0) {
      throw badParameter(name, `${JSON.stringify(text)} is not a whole number of 1 or more`);
    }
    return Number(text);
  }

  /** As Prometheus reads `limit`: 0 and none at all are no limit. @throws {ApiError} */
  limitOrNone(name: string): number {
    const text = this.text(name);
    if (!/^[+-]?\d*$/.test(text) || text === '+' || text === '-') {
      throw badParameter(name, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    }
    if (Number(text) < 0) throw badParameter(name, 'limit must be non-negative');
    return Number(text) || Number.POSITIVE_INFINITY;
  }

  /** A duration above 0, such as `24h`. @throws {ApiError} */
  durationMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    const durationMs = parseDurationMs(text);
    if (!durationMs || durationMs > MAX_TIME_MS) {
      throw badParameter(name, `${JSON.stringify(text)} is not a duration above 0 like 30m or 24h`);
    }
    return durationMs;
  }

  /** One of a few words. @throws {ApiError} */
  choice<Word extends string>(name: string, words: readonly Word[], ifMissing: Word): Word {
    return this.optionalChoice(name, words) ?? ifMissing;
  }

  /** @throws {ApiError} */
  optionalChoice<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    const word = words.find((candidate) => candidate === text);
    if (word === undefined)
      throw badParameter(name, `${JSON.stringify(text)} is none of ${words.join(', ')}`);
    return word;
  }
}

/** Go's decimal floats, with its underscores between digits. */
const FLOAT = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/i;

function parseFloatText(text: string): number | undefined {
  return parseGoFloat(FLOAT.test(text) ? text.replaceAll('_', '') : text);
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Prometheus' `parseTime`: the fraction of float seconds is rounded to milliseconds, that of RFC 3339 cut. */
function parseTimeMs(text: string): number | undefined {
  const seconds = parseFloatText(text);
  if (seconds !== undefined) {
    if (Number.isNaN(seconds)) return undefined;
    const whole = Math.trunc(seconds);
    const fraction = Math.sign(seconds) * Math.round(Math.abs(seconds - whole) * 1000);
    return Math.max(-MAX_TIME_MS, Math.min(MAX_TIME_MS, whole * 1000 + (fraction || 0)));
  }
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const milliseconds = (match[2] ?? '').slice(1, 4).padEnd(3, '0');
  const timeMs = Date.parse(`${match[1]}.${milliseconds}${match[3]}`);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
