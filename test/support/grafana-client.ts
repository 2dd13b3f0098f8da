/** The calls of Grafana's Prometheus data source, as its code makes them. */

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  // biome-ignore lint/suspicious/noExplicitAny: each path has another shape, and each test says which
  readonly json: any;
  /** How it was asked in the end. */
  readonly method: string;
}

type Parameters = Readonly<Record<string, string>>;

/** Never sent by POST, whatever the data source says. */
const GET_ONLY = ['/label/', '/metadata', '/targets', '/rules', '/alerts', '/alertmanagers', '/status/', '/notifications']; // biome-ignore format: one list

/** What it sends along, and a proxy has to pass on. */
export const GRAFANA_HEADERS = {
  'user-agent': 'Grafana/12.0.0',
  'x-dashboard-uid': 'exemplard-latency',
  'x-panel-id': '2',
  'x-grafana-org-id': '1',
};

export class GrafanaClient {
  readonly #base: string;
  readonly #httpMethod: 'GET' | 'POST';

  /** @param base the URL of the data source */
  constructor(base: string, httpMethod: 'GET' | 'POST') {
    this.#base = base;
    this.#httpMethod = httpMethod;
  }

  /** A panel, Explore, the health check: a form, and no second try. */
  query(path: string, parameters: Parameters): Promise<Reply> {
    return this.#httpMethod === 'POST' ? this.#post(path, parameters) : this.#get(path, parameters);
  }

  /** Metric browser, variables, rules: after 400 and 405 a POST is tried again as GET. */
  async resource(path: string, parameters: Parameters = {}): Promise<Reply> {
    const isGet = this.#httpMethod === 'GET' || GET_ONLY.some((part) => path.includes(part));
    if (isGet) return this.#get(path, parameters);
    const posted = await this.#post(path, parameters);
    return posted.status === 400 || posted.status === 405 ? this.#get(path, parameters) : posted;
  }

  /** Whether exemplars can be had: times in milliseconds, and with POST an empty body. */
  probeExemplars(nowMs: number, query = 'test'): Promise<Reply> {
    const parameters = { query, start: String(nowMs - 30 * 60_000), end: String(nowMs) };
    return this.#send('/api/v1/query_exemplars', parameters, {
      method: this.#httpMethod,
      ...(this.#httpMethod === 'POST' ? { body: '' } : {}),
    });
  }

  /** With `"exemplar": true`: the expression of the panel, its range aligned to the step. */
  exemplars(
    query: string,
    { startMs, endMs, stepSeconds }: { startMs: number; endMs: number; stepSeconds: number },
  ) {
    // biome-ignore format: one line
    const aligned = (timeMs: number) => String(Math.floor(timeMs / 1000 / stepSeconds) * stepSeconds);
    return this.query('/api/v1/query_exemplars', { query, start: aligned(startMs), end: aligned(endMs) });
  }

  #post(path: string, parameters: Parameters): Promise<Reply> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(parameters).toString();
    return this.#send(path, {}, { method: 'POST', headers, body });
  }

  #get(path: string, parameters: Parameters): Promise<Reply> {
    return this.#send(path, parameters, { method: 'GET' });
  }

  async #send(path: string, inUrl: Parameters, init: RequestInit): Promise<Reply> {
    const search = new URLSearchParams(inUrl).toString();
    const url = `${this.#base}${path}${search === '' ? '' : `?${search}`}`;
    const response = await fetch(url, { ...init, headers: { ...GRAFANA_HEADERS, ...init.headers } });
    const text = await response.text();
    const contentType = response.headers.get('content-type') ?? '';
    const json = contentType.includes('json') ? JSON.parse(text) : undefined;
    return { status: response.status, contentType, json, method: init.method! };
  }
}
