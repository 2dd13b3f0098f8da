/** The upstream's own exemplars, to be merged with ours. */
import type { IncomingMessage } from 'node:http';
import type { Archived, ArchivedExemplar, ArchivedSeries } from '../model/archive.js';
import { type Labels, labelsFromRecord } from '../model/labels.js';
import { parseGoFloat } from '../util/go-float.js';
import { passedHeaders } from './headers.js';
import type { Upstream, UpstreamAnswer } from './upstream.js';

/** Ours are there already, and worth an answer: what is slower than this, or longer, is left out. */
const TIMEOUT_MS = 10_000;
/** How long one that did not answer in time is left alone: a dashboard has many panels, and all would wait. */
const SILENCE_MS = 30_000;
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export interface UpstreamQuery {
  readonly promql: string;
  /** Infinite where not said. */
  readonly startMs: number;
  readonly endMs: number;
  readonly minValue: number | undefined;
  readonly maxValue: number | undefined;
}

/** Asks on behalf of a request, with its credentials and its tenant. Never rejects: then nothing is found, and a warning says so. */
export async function askExemplars(
  upstream: Upstream,
  request: IncomingMessage,
  query: UpstreamQuery,
): Promise<Archived<readonly ArchivedSeries[]>> {
  const timeout = new AbortController();
  const cancel = upstream.clock.after(TIMEOUT_MS, () =>
    timeout.abort(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)),
  );
  try {
    if (upstream.clock.monotonicMs() < upstream.silentUntilMs)
      throw new Error(
        `it has not answered within ${TIMEOUT_MS / 1000} s a moment ago, and is left alone for a while`,
      );
    const answer = await upstream.exchange({
      method: 'POST',
      path: '/api/v1/query_exemplars',
      headers: [
        ...[...passedHeaders(request.rawHeaders)].filter(([name]) => isOfTheAsker(name)),
        ['content-type', 'application/x-www-form-urlencoded'],
      ],
      body: formOf(query).toString(),
      signal: timeout.signal,
    });
    const text = await readBounded(answer);
    if (answer.statusCode === 204) return { found: [], warnings: [] };
    if (answer.statusCode !== 200) throw new Error(`it answers ${answer.statusCode}: ${errorIn(text)}`);
    return { found: seriesIn(text, query), warnings: [] };
  } catch (error) {
    if (timeout.signal.aborted) upstream.silentUntilMs = upstream.clock.monotonicMs() + SILENCE_MS;
    return { found: [], warnings: [`upstream: not merged: ${(error as Error).message}`] };
  } finally {
    cancel();
  }
}

/** What a request is about, and how its answer is to be packed, is ours to say. */
function isOfTheAsker(name: string): boolean {
  return !/^(?:accept.*|content-.*|if-.*|range|origin|referer|sec-.*)$/i.test(name);
}

function formOf({ promql, startMs, endMs }: UpstreamQuery): URLSearchParams {
  const form = new URLSearchParams({ query: promql });
  if (Number.isFinite(startMs)) form.set('start', String(startMs / 1000));
  if (Number.isFinite(endMs)) form.set('end', String(endMs / 1000));
  return form;
}

async function readBounded({ body }: UpstreamAnswer): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Error(`its answer is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function errorIn(text: string): string {
  try {
    const { error } = JSON.parse(text);
    if (typeof error === 'string') return error;
  } catch {
    // Not Prometheus' shape.
  }
  return text.slice(0, 200);
}

/** @throws Error for what is not the answer of a Prometheus */
function seriesIn(text: string, { minValue, maxValue }: Partial<UpstreamQuery>): ArchivedSeries[] {
  const { data } = JSON.parse(text) as { data?: unknown };
  if (!Array.isArray(data)) throw new Error('its answer has no list of series');
  return data.map(({ seriesLabels, exemplars }) => ({
    labels: labelsOf(seriesLabels),
    exemplars: (exemplars as unknown[]).map(exemplarOf).filter(
      // Written so that NaN fails a bound that is given.
      ({ value }) =>
        (minValue === undefined || value >= minValue) && (maxValue === undefined || value <= maxValue),
    ),
  }));
}

function exemplarOf(exemplar: unknown): ArchivedExemplar {
  const { labels, value, timestamp } = exemplar as Record<string, unknown>;
  const number = parseGoFloat(String(value));
  if (number === undefined || typeof timestamp !== 'number')
    throw new Error(`its answer has an exemplar that is none: ${JSON.stringify(exemplar).slice(0, 200)}`);
  return { labels: labelsOf(labels), value: number, timestampMs: Math.round(timestamp * 1000) };
}

function labelsOf(labels: unknown): Labels {
  const record = Object(labels) as Record<string, string>;
  if (Object.values(record).some((value) => typeof value !== 'string'))
    throw new Error('its answer has labels that are no text');
  return labelsFromRecord(record);
}
