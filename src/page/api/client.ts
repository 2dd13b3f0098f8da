/** exemplard's own API, also where `/api/v1/` belongs to an upstream; relative, so that a path prefix stays. */
const API = './exemplard/api/v1/';

export interface Answer<T> {
  readonly data: T;
  readonly warnings: readonly string[];
}

/** The server said no, or could not be asked. The message is for people. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** Undefined where no answer came. */
    readonly status: number | undefined,
  ) {
    super(message);
  }

  get isUnreachable(): boolean {
    return this.status === undefined;
  }
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
  path: string,
  parameters: ApiParameters = {},
  signal?: AbortSignal,
): Promise<Answer<T>> {
  const response = await reach(apiUrl(path, parameters), signal);
  const body = await readBody(response, signal);
  if (response.status === 204) throw new ApiError('the expression has no selector', 204);
  if (typeof body !== 'object' || body === null || !('status' in body)) {
    throw new ApiError(`the answer is not exemplard's (HTTP ${response.status})`, response.status);
  }
  const answer = body as { status: string; data: T; error?: string; warnings?: readonly string[] };
  if (answer.status !== 'success') {
    throw new ApiError(answer.error ?? `HTTP ${response.status}`, response.status);
  }
  return { data: answer.data, warnings: answer.warnings ?? [] };
}

async function reach(url: string, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(url, { signal: signal ?? null, headers: { accept: 'application/json' } });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('the server does not answer', undefined);
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
