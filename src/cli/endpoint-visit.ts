import type { Examination } from '../doctor/examination.js';
import { bySeverity, countOf, type Finding } from '../doctor/finding.js';
import { guessTextFormat } from '../doctor/guess-format.js';
import { isNoMetrics } from '../doctor/lookalikes.js';
import { type Repeats, repeatsBetween } from '../doctor/repeats.js';
import type { ExpositionFormat } from '../exposition/content-type.js';
import { expositionFormat } from '../exposition/content-type.js';
import { DEFAULT_SCRAPE_PROTOCOLS } from '../scrape/options.js';
import { acceptHeader } from '../scrape/protocols.js';
import { type Clock, sleep } from '../util/clock.js';
import { type Answer, type EndpointClient, EndpointFailure } from './endpoint.js';
import { examineBytes } from './examine-bytes.js';
import type { MetricsReport, VariantReport } from './metrics-report.js';

/** What an endpoint is asked for; what is asked for first is what a scrape asks for. */
const VARIANTS: readonly { readonly name: string; readonly accept: string | undefined }[] = [
  { name: 'what a scrape asks for', accept: acceptHeader(DEFAULT_SCRAPE_PROTOCOLS) },
  { name: 'OpenMetrics 1.0.0', accept: 'application/openmetrics-text;version=1.0.0' },
  { name: 'OpenMetrics 2.0.0', accept: 'application/openmetrics-text;version=2.0.0' },
  { name: 'protobuf', accept: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited' },
  { name: 'text/plain', accept: 'text/plain;version=0.0.4' },
  { name: 'no Accept header', accept: undefined },
]; // biome-ignore format: a table

/** Asking twice is for free below these. */
const MAX_REPEATED_BYTES = 16 * 1024 * 1024;
const MAX_REPEATED_MS = 3_000;
const PAUSE_MS = 1_000;

interface Asked extends VariantReport {
  readonly accept: string | undefined;
  readonly answer: Answer | undefined;
  readonly examination: Examination | undefined;
  readonly failures: readonly Finding[];
}

export interface VisitOptions {
  /** How to read an answer that does not say. */
  readonly fallback: ExpositionFormat | undefined;
  /** Told of every body that is about to be examined. */
  readonly progress: (bytes: number) => void;
}

/** Asks for every format in turn, and examines the answer that is best for exemplars. */
export async function visitEndpoint(
  client: EndpointClient,
  options: VisitOptions,
  clock: Clock,
): Promise<Omit<MetricsReport, 'source'>> {
  const asked: Asked[] = [];
  for (const { name, accept } of VARIANTS) {
    const each = await ask(client, name, accept, options, clock);
    asked.push(each.asked);
    if (each.isFinal) break;
  }
  const best = bestOf(asked);
  const repeats = best === undefined ? undefined : await askAgain(client, best, clock);
  const findings = [...failuresOf(asked), ...formatFindings(asked, best), ...(best?.examination?.findings ?? []), ...repeatFindings(repeats)]; // biome-ignore format: one list
  return {
    answers: asked.map(({ answer: _, examination: __, failures: ___, accept: ____, ...report }) => report),
    examination: best?.examination,
    repeats,
    findings: bySeverity(findings),
  };
}

async function ask(
  client: EndpointClient,
  name: string,
  accept: string | undefined,
  options: VisitOptions,
  clock: Clock,
): Promise<{ readonly asked: Asked; readonly isFinal: boolean }> {
  const startMs = clock.monotonicMs();
  try {
    const answer = await client.ask(accept);
    return { asked: { ...reportOf(name, answer), accept, answer, ...examineAnswer(answer, options, clock.nowMs()) }, isFinal: false }; // biome-ignore format: one object
  } catch (error) {
    if (!(error instanceof EndpointFailure)) throw error;
    const { code, message, next, isFinal } = error;
    const failures: Finding[] = [{ code, severity: 'error', message, next }];
    const tookMs = clock.monotonicMs() - startMs;
    const report = { name, problem: message, contentType: undefined, bytes: 0, wireBytes: 0, isGzip: false, tookMs, exemplars: 0 }; // biome-ignore format: one object
    return { asked: { ...report, accept, answer: undefined, examination: undefined, failures }, isFinal };
  }
}

function reportOf(name: string, answer: Answer): VariantReport {
  const { contentType, wireBytes, isGzip, tookMs, body } = answer;
  return {
    name,
    problem: undefined,
    contentType,
    bytes: body.length,
    wireBytes,
    isGzip,
    tookMs,
    exemplars: 0,
  };
}

function examineAnswer(
  { body, contentType }: Answer,
  { fallback, progress }: VisitOptions,
  nowMs: number,
): Pick<Asked, 'examination' | 'failures' | 'exemplars'> {
  const result = expositionFormat(contentType, fallback);
  // Prometheus would refuse it, which is said; what stands in it is of interest all the same.
  const format = 'format' in result ? result.format : guessTextFormat(body, body.length);
  progress(body.length);
  const examined = examineBytes(body, format, { contentType, isAnswer: true }, nowMs);
  const failure = 'failure' in examined ? examined.failure : examined.findings.find(isNoMetrics);
  if (failure !== undefined || 'failure' in examined)
    return { examination: undefined, failures: failure === undefined ? [] : [failure], exemplars: 0 };
  return { examination: examined, failures: [], exemplars: examined.exemplars };
}

/** The answer to what a scrape asks for; where that has no exemplars, the one with most. */
function bestOf(asked: readonly Asked[]): Asked | undefined {
  const readable = asked.filter(({ examination }) => examination !== undefined);
  const [first] = readable;
  if (first === undefined || (first === asked[0] && first.exemplars > 0)) return first;
  return readable.reduce((best, each) => (each.exemplars > best.exemplars ? each : best));
}

async function askAgain(
  client: EndpointClient,
  { accept, answer, exemplars, examination }: Asked,
  clock: Clock,
): Promise<Repeats | undefined> {
  if (answer === undefined || exemplars === 0 || examination === undefined) return undefined;
  // Of text/plain none are taken in; lines of protobuf are ours.
  if (examination.format === 'protobuf' || examination.format === 'text') return undefined;
  if (answer.body.length > MAX_REPEATED_BYTES || answer.tookMs > MAX_REPEATED_MS) return undefined;
  await sleep(clock, PAUSE_MS);
  try {
    return repeatsBetween(answer.body, (await client.ask(accept)).body, clock.nowMs());
  } catch (error) {
    if (error instanceof EndpointFailure) return undefined;
    throw error;
  }
}

/** The same failure is told once. */
function failuresOf(asked: readonly Asked[]): Finding[] {
  const failures = new Map<string, Finding>();
  for (const each of asked) for (const failure of each.failures) failures.set(failure.code, failures.get(failure.code) ?? failure); // biome-ignore format: one loop
  // That some format is not to be had is no trouble where what a scrape asks for is.
  return asked[0]?.examination === undefined ? [...failures.values()] : [];
}

function formatFindings([first]: readonly Asked[], best: Asked | undefined): Finding[] {
  if (first?.examination === undefined || best === undefined || best === first) return [];
  return [
    {
      code: 'exemplars_in_other_format',
      severity: 'warning',
      message: `What a scrape asks for is answered without exemplars; asked for ${best.name}, the endpoint has ${countOf(best.exemplars, 'exemplar')}. That answer is examined here.`,
      next: `Set scrape_protocols for the job so that ${best.name} comes first.`,
    },
  ];
}

function repeatFindings(repeats: Repeats | undefined): Finding[] {
  if (repeats === undefined || repeats.repeated === 0) return [];
  return [
    {
      code: 'exemplars_repeating',
      severity: 'info',
      message: `${repeats.repeated} of ${countOf(repeats.exemplars, 'exemplar')} ${repeats.repeated === 1 ? 'was' : 'were'} the same a second later: libraries show the last one until it is replaced.`,
      next: 'Nothing to do: exemplard takes each one in once.',
      count: repeats.repeated,
    },
  ];
}
