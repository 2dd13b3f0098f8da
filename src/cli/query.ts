/** `exemplard query …`: asks a running exemplard. */
import { basic } from '../http-client/credentials.js';
import { decodePercent } from '../util/percent.js';
import { redactUrl } from '../util/secrets.js';
import type { Write } from './check-config.js';
import { EXIT_FAILED, EXIT_FINE } from './exit-codes.js';
import { readableBytes, readableRate, readableSeconds, readableSeries } from './readable.js';
import { type Column, textTable } from './text-table.js';

export interface QueryOptions {
  /** Where exemplard serves HTTP; a path in front of `/api` is kept. */
  readonly server: string;
  readonly output: 'table' | 'json';
}

/** Values go to the server as they are: it knows what is allowed, and says so. */
export interface ExemplarsOptions extends QueryOptions {
  readonly expression: string;
  readonly start?: string;
  readonly end?: string;
  readonly limit?: string;
  readonly order?: string;
  readonly minValue?: string;
  readonly maxValue?: string;
  /** Rings, the archive, or both. */
  readonly source?: string;
}

export interface RetentionOptions extends QueryOptions {
  readonly by?: string;
  readonly match?: readonly string[];
  readonly sort?: string;
  readonly order?: string;
  readonly limit?: string;
  readonly target?: string;
}

interface AnsweredSeries {
  readonly seriesLabels: Readonly<Record<string, string>>;
  readonly exemplars: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: string;
    readonly timestamp: number;
  }[];
}

interface AnsweredRetention {
  readonly bytes: Readonly<Record<'slots' | 'labels' | 'index', number>>;
  readonly limits: { readonly perSeries: number; readonly maxExemplars: number; readonly maxBytes: number };
  readonly groups: readonly AnsweredGroup[];
  /** Where there is one, and it answered. */
  readonly archive?: AnsweredArchive;
}

/** Times are Unix seconds. */
interface AnsweredArchive {
  readonly oldest: number | null;
  readonly rows: number;
  readonly bytes: number;
  readonly bytesPerExemplar: number | null;
  readonly rowsPerDay: number;
  readonly pendingRows: number;
  readonly ttlSeconds: number | null;
  readonly freeBytes: number | null;
  readonly end: { readonly by: 'ttl' | 'disk'; readonly at: number; readonly windowSeconds: number } | null;
}

interface AnsweredGroup {
  readonly labels: Readonly<Record<string, string>>;
  readonly series: number;
  readonly fullSeries: number;
  readonly exemplars: number;
  readonly windowSeconds: Readonly<Record<'min' | 'p50' | 'max', number>>;
  readonly rate: Readonly<Record<'5m' | '1h', number>>;
  readonly overwritten: number;
  readonly overwrittenUnforwarded: number;
  readonly forecast: {
    readonly secondsToFull: number | null;
    readonly steadyWindowSeconds: number | null;
    readonly perSeriesForTarget: number | null;
    readonly bytesForTarget: number | null;
  };
}

/** @returns the exit code */
export function queryExemplars(options: ExemplarsOptions, stdout: Write, stderr: Write): Promise<number> {
  const { expression, start, end, limit, order, minValue, maxValue, source } = options;
  const parameters = {
    query: expression,
    start,
    end,
    limit,
    order,
    min_value: minValue,
    max_value: maxValue,
    source,
  };
  return answer(options, 'query_exemplars', Object.entries(parameters), exemplarsTable, stdout, stderr);
}

/** @returns the exit code */
export function queryRetention(options: RetentionOptions, stdout: Write, stderr: Write): Promise<number> {
  const { by, match = [], sort, order, limit, target } = options;
  const selectors = match.map((selector): Parameter => ['match[]', selector]);
  const parameters = [...selectors, ...Object.entries({ by, sort, order, limit, target })];
  return answer(options, 'retention', parameters, retentionTable, stdout, stderr);
}

type Parameter = readonly [name: string, value: string | undefined];

async function answer<Data>(
  options: QueryOptions,
  resource: string,
  parameters: readonly Parameter[],
  table: (data: Data) => string,
  stdout: Write,
  stderr: Write,
): Promise<number> {
  try {
    const body = await ask(options.server, resource, parameters);
    if (options.output === 'json') stdout(`${body}\n`);
    else {
      const { data, warnings = [] } = JSON.parse(body) as { data: Data; warnings?: readonly string[] };
      stdout(table(data));
      // An answer that is not whole does not look whole.
      for (const warning of warnings) stderr(`warning: ${warning}\n`);
    }
    return EXIT_FINE;
  } catch (error) {
    stderr(`error: ${(error as Error).message}\n`);
    return EXIT_FAILED;
  }
}

/** @throws {Error} with a message for the user */
async function ask(
  serverUrl: string,
  resource: string,
  parameters: readonly Parameter[],
  method = 'GET',
): Promise<string> {
  const { url, headers } = resourceUrl(serverUrl, resource);
  // From here on without a password.
  const server = redactUrl(serverUrl);
  for (const [name, value] of parameters) if (value !== undefined) url.searchParams.append(name, value);
  const response = await fetch(url, { method, headers }).catch((error: Error) => {
    throw new Error(
      `${server} cannot be reached: ${causeOf(error)}. Does exemplard run there? See --server.`,
    );
  });
  const body = await response.text();
  // An expression without selectors.
  if (response.status === 204) return '{"status":"success","data":[]}';
  if (!response.ok) throw new Error(`${server} answered ${response.status}: ${errorIn(body)}`);
  if (!body.startsWith('{"status":"success"')) throw new Error(`${server} is no exemplard`);
  return body;
}

/** The data of an answer. @throws {Error} with a message for the user */
export async function askServer<Data>(
  server: string,
  resource: string,
  parameters: readonly Parameter[],
  method = 'GET',
): Promise<Data> {
  return (JSON.parse(await ask(server, resource, parameters, method)) as { data: Data }).data;
}

/** Of a user name and a password in the URL `fetch` would hear nothing: they become a header. */
function resourceUrl(server: string, resource: string): { url: URL; headers: Record<string, string> } {
  const isHttp = /^https?:\/\//i.test(server) && URL.canParse(server);
  if (!isHttp)
    throw new Error(`--server must be a URL like http://127.0.0.1:9199, got ${JSON.stringify(server)}`);
  const url = new URL(`api/v1/${resource}`, server.endsWith('/') ? server : `${server}/`);
  const { username, password } = url;
  url.username = url.password = '';
  if (username === '' && password === '') return { url, headers: {} };
  return { url, headers: { authorization: basic(decodePercent(username), decodePercent(password)) } };
}

function causeOf({ cause, message }: Error): string {
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}

/** The message of an error in Prometheus' shape; otherwise the first line, which a proxy may have written. */
function errorIn(body: string): string {
  try {
    const { error } = JSON.parse(body) as { readonly error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // No JSON.
  }
  return body.split('\n', 1)[0]!.slice(0, 200) || 'nothing';
}

function exemplarsTable(answered: readonly AnsweredSeries[]): string {
  const rows = answered.flatMap(({ seriesLabels, exemplars }) =>
    exemplars.map((exemplar) => ({ seriesLabels, ...exemplar })),
  );
  if (rows.length === 0) return 'no exemplars\n';
  const labels = (record: Readonly<Record<string, string>>) =>
    Object.entries(record)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ');
  return textTable(
    [
      { title: 'TIME', cell: (row) => timeOf(row.timestamp) },
      { title: 'VALUE', cell: (row) => row.value, align: 'right' },
      { title: 'EXEMPLAR', cell: (row) => labels(row.labels) },
      { title: 'SERIES', cell: (row) => readableSeries(row.seriesLabels) },
    ],
    rows,
  );
}

/** A target can expose times that no calendar has. */
function timeOf(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? `${seconds}s` : time.toISOString();
}

function retentionTable(answered: AnsweredRetention): string {
  const { archive } = answered;
  return ringsTable(answered) + (archive === undefined ? '' : `\n${archiveTable(archive)}`);
}

/** Sentences, because there is one of each figure. */
function archiveTable(archive: AnsweredArchive): string {
  const { oldest, rows, bytes, bytesPerExemplar, rowsPerDay, pendingRows, ttlSeconds, freeBytes, end } =
    archive;
  const each = bytesPerExemplar === null ? '' : ` (${bytesPerExemplar.toFixed(1)} B each)`;
  const since = oldest === null ? '' : `, the oldest of ${timeOf(oldest)}`;
  const kept = ttlSeconds === null ? 'kept for ever' : `kept for ${readableSeconds(ttlSeconds)}`;
  const free = freeBytes === null ? '' : `, ${readableBytes(freeBytes)} free on its disk`;
  return [
    `archive: ${rows} exemplars in ${readableBytes(bytes)}${each}${since}`,
    `         ${Math.round(rowsPerDay)} a day, ${pendingRows} waiting to be archived, ${kept}${free}`,
    ...(end === null ? [] : [`         ${endText(end)}`]),
    '',
  ].join('\n');
}

function endText({ by, at, windowSeconds }: NonNullable<AnsweredArchive['end']>): string {
  const window = readableSeconds(windowSeconds);
  return by === 'disk'
    ? `its disk is full at ${timeOf(at)}, with ${window} remembered`
    : `from ${timeOf(at)} on it remembers ${window}, and the oldest go`;
}

function ringsTable({ groups, bytes, limits }: AnsweredRetention): string {
  const used = readableBytes(bytes.slots + bytes.labels + bytes.index);
  const summary = `${used} of ${readableBytes(limits.maxBytes)} used, ${limits.perSeries} exemplars a series at most\n`;
  if (groups.length === 0) return `no series\n\n${summary}`;
  const hasTarget = groups.some(({ forecast }) => forecast.perSeriesForTarget !== null);
  const columns = hasTarget ? [...RETENTION_COLUMNS, ...TARGET_COLUMNS] : RETENTION_COLUMNS;
  return `${textTable(columns, groups)}\n${summary}`;
}

const RETENTION_COLUMNS: readonly Column<AnsweredGroup>[] = [
  {
    title: 'GROUP',
    cell: ({ labels }) => (Object.keys(labels).length === 0 ? 'all' : readableSeries(labels)),
  },
  numbers('SERIES', ({ series }) => String(series)),
  numbers('FULL', ({ fullSeries }) => String(fullSeries)),
  numbers('EXEMPLARS', ({ exemplars }) => String(exemplars)),
  numbers('WINDOW MIN', ({ windowSeconds }) => readableSeconds(windowSeconds.min)),
  numbers('MEDIAN', ({ windowSeconds }) => readableSeconds(windowSeconds.p50)),
  numbers('MAX', ({ windowSeconds }) => readableSeconds(windowSeconds.max)),
  numbers('NEW/S 5M', ({ rate }) => readableRate(rate['5m'])),
  numbers('1H', ({ rate }) => readableRate(rate['1h'])),
  numbers('OVERWRITTEN', ({ overwritten }) => String(overwritten)),
  numbers('UNFORWARDED', ({ overwrittenUnforwarded }) => String(overwrittenUnforwarded)),
  numbers('FULL IN', ({ forecast }) => readableSeconds(forecast.secondsToFull)),
  numbers('THEN REMEMBERS', ({ forecast }) => readableSeconds(forecast.steadyWindowSeconds)),
];

const TARGET_COLUMNS: readonly Column<AnsweredGroup>[] = [
  numbers('TARGET PER_SERIES', ({ forecast }) => String(forecast.perSeriesForTarget ?? '-')),
  numbers('MAX_BYTES', ({ forecast }) => readableBytes(forecast.bytesForTarget)),
];

function numbers(title: string, cell: (group: AnsweredGroup) => string): Column<AnsweredGroup> {
  return { title, cell, align: 'right' };
}
