import { type ApiPath, isAnswerOf } from './shapes.js';

/** exemplard's own API, also where `/api/v1/` belongs to an upstream; relative, so that a path prefix stays. */
const API = './exemplard/api/v1/';

export interface Answer<T> {
  readonly data: T;
  readonly warnings: readonly string[];
}

/**
 * Whose fault it is that there is no answer: `connection`, nothing came; `stranger`, something else than exemplard
 * answered; `question`, asking it again is in vain; `server`, all others.
 */
export type Fault = 'connection' | 'stranger' | 'question' | 'server';

/** The message is for people. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly fault: Fault,
  ) {
    super(message);
  }

  get isOfQuestion(): boolean {
    return this.fault === 'question';
  }
}

export function apiErrorOf(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(String(error), 'stranger');
}

type Parameter = string | number | undefined | readonly string[];

/** Undefined ones are left out, lists are given once for each. */
export type ApiParameters = Readonly<Record<string, Parameter>>;

export function apiUrl(path: string, parameters: ApiParameters = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each));
  }
  const query = search.toString();
  return query === '' ? `${API}${path}` : `${API}${path}?${query}`;
}

/**
 * GETs `data` of an answer in Prometheus' shape.
 * @throws {ApiError}
 * @throws an AbortError when the signal says so
 */
export async function ask<T>(
  path: ApiPath,
  parameters: ApiParameters = {},
  signal?: AbortSignal,
): Promise<Answer<T>> {
  const response = await reach(apiUrl(path, parameters), signal);
  const body = await readBody(response, signal);
  const { status } = response;
  if (status === 204) throw new ApiError('the expression has no selector', 'question');
  const { data, error, warnings = [] } = (body ?? {}) as Partial<PrometheusAnswer<T>>;
  if (typeof error === 'string')
    throw new ApiError(error, QUESTION_STATUSES.includes(status) ? 'question' : 'server');
  if (!response.ok || !isAnswerOf(path, data) || !Array.isArray(warnings))
    throw new ApiError(`the answer is not exemplard's (HTTP ${status})`, 'stranger');
  return { data: data!, warnings };
}

interface PrometheusAnswer<T> {
  readonly data: T;
  readonly error: string;
  readonly warnings: readonly string[];
}

/** Bad data, and what would be too much to answer. */
const QUESTION_STATUSES = [400, 422];

async function reach(url: string, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(url, { signal: signal ?? null, headers: { accept: 'application/json' } });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('the server does not answer', 'connection');
  }
}

async function readBody(response: Response, signal: AbortSignal | undefined): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    return undefined;
  }
}
