import { formatDurationMs } from '../util/units.js';
import type { ExemplarRules, ExemplarTally, Tally } from './exemplar-tally.js';
import { countOf, type Finding, type Severity } from './finding.js';
import type { Library } from './libraries.js';
import { TRACE_ID_NEXT, TRACE_ID_PROBLEMS, type TraceIdProblem } from './trace-ids.js';

export interface BodyTraits {
  /** The format has none, or none that are read. */
  readonly hasNoExemplars: boolean;
  readonly hasSeries: boolean;
  /** Nothing is wrong with the body or its header. */
  readonly isSound: boolean;
  readonly library: Library | undefined;
}

/** What there is to say about the exemplars: none, refused ones, and those that lead nowhere. */
export function exemplarFindings(
  tally: ExemplarTally,
  rules: ExemplarRules,
  traits: BodyTraits,
): readonly Finding[] {
  if (tally.count === 0) return traits.hasNoExemplars || !traits.hasSeries ? [] : [noneFinding(traits)];
  return [...refusals(tally, rules), ...linkFindings(tally, rules), ...timeFindings(tally, rules)];
}

function noneFinding({ library, isSound }: BodyTraits): Finding {
  const known = library === undefined ? '' : ` The metrics look like those of ${library.name}.`;
  return {
    code: 'no_exemplars',
    severity: 'warning',
    message: `${isSound ? 'The format is right, but no' : 'No'} line carries an exemplar.${known}`,
    next:
      library === undefined
        ? 'Attach exemplars in the application: pass a trace_id with each observation made inside of a sampled span.'
        : `To have exemplars, ${library.exemplars}.`,
  };
}

const SINGULAR: Readonly<Record<string, string>> = { have: 'has', are: 'is', stand: 'stands' };

/** @param details what goes behind the number of exemplars: a verb in the plural, and on */
function finding(
  code: string,
  severity: Severity,
  tally: Tally | undefined,
  details: string,
  next: string,
): Finding[] {
  if (tally === undefined) return [];
  const { count, line, column } = tally;
  return [
    {
      code,
      severity,
      message: `${countOf(count, 'exemplar')} ${agreeing(details, count)}.`,
      next,
      line,
      column,
      count,
    },
  ];
}

function agreeing(details: string, count: number): string {
  const [verb = ''] = details.split(' ', 1);
  return count === 1 && verb in SINGULAR ? SINGULAR[verb] + details.slice(verb.length) : details;
}

function refusals(tally: ExemplarTally, { maxCodePoints, maxFutureMs }: ExemplarRules): Finding[] {
  return [
    ...finding(
      'exemplars_malformed',
      'error',
      tally.malformed,
      `cannot be read, the first because ${tally.malformed?.detail}`,
      'Write the exemplar as OpenMetrics has it: ` # {trace_id="…"} value timestamp`.',
    ),
    ...finding(
      'exemplars_too_long',
      'error',
      tally.tooLong,
      `have more than ${maxCodePoints} characters in names and values together (up to ${shownCount(tally.mostCodePoints)}): refused`,
      'Leave trace_id and span_id, and drop other labels (OpenTelemetry adds attributes that a view filtered out).',
    ),
    ...futureFinding(tally, maxFutureMs),
    ...finding(
      'exemplars_blank',
      'warning',
      tally.blank,
      'have no labels, or only empty values: refused',
      'Attach an exemplar only where there is a trace: the always_on filter of OpenTelemetry adds blank ones outside of spans.',
    ),
  ];
}

function futureFinding(tally: ExemplarTally, maxFutureMs: number): Finding[] {
  const { future, futureUnit } = tally;
  if (futureUnit !== undefined)
    return finding(
      'exemplars_in_future',
      'error',
      future,
      `have a timestamp far in the future, which looks like ${futureUnit}: refused`,
      `Write timestamps in seconds since 1970, not in ${futureUnit}: 1700000000.123.`,
    );
  return finding(
    'exemplars_in_future',
    'error',
    future,
    `have a timestamp more than ${formatDurationMs(maxFutureMs)} ahead of this clock (up to ${age(tally.furthestMs)}): refused`,
    'Check the clocks of both machines.',
  );
}

function linkFindings(tally: ExemplarTally, { traceIdLabels }: ExemplarRules): Finding[] {
  const known = traceIdLabels.join(', ');
  const lookalikes = [...tally.lookalikes.values()].flatMap((each) =>
    finding(
      'trace_id_label_unmatched',
      'warning',
      each,
      `have the id of the trace in the label ${shown(each.detail)}, which links look for by the exact name (${known})`,
      `Call the label trace_id in the application, rename it by exemplar_relabel_configs, or name ${shown(each.detail)} in trace_id_labels and in Grafana's data source.`,
    ),
  );
  const missing = finding(
    'trace_id_label_missing',
    tally.hintsAtTraces ? 'warning' : 'info',
    tally.withoutTraceId,
    `have none of the labels ${known}, so no trace can be found (the first has ${shown(tally.withoutTraceId?.detail ?? '')})`,
    tally.hintsAtTraces
      ? 'Add the label trace_id with the id of the trace.'
      : 'Nothing to do where they are to point at something else than traces; else add the label trace_id with the id of the trace.',
  );
  const ids = [...tally.traceIds].flatMap(([problem, each]: [TraceIdProblem, Tally]) =>
    finding(
      `trace_id_${problem.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
      'warning',
      each,
      `have trace ids that ${TRACE_ID_PROBLEMS[problem]}, such as ${shown(each.detail)}`,
      TRACE_ID_NEXT[problem],
    ),
  );
  return [...lookalikes, ...missing, ...ids];
}

function timeFindings(tally: ExemplarTally, { oldMs }: ExemplarRules): Finding[] {
  return [
    ...finding(
      'exemplars_without_timestamp_on_native_histogram',
      'warning',
      tally.wholeHistogramWithoutTimestamp,
      'have no timestamp and stand on whole histograms: Prometheus drops them',
      'Write a timestamp behind the value of each exemplar.',
    ),
    ...finding(
      'exemplars_without_timestamp',
      'info',
      tally.withoutTimestamp,
      'have no timestamp: the time of the scrape that first shows them stands in for it',
      'Write a timestamp behind the value of each exemplar.',
    ),
    ...finding(
      'exemplars_old',
      'info',
      tally.old,
      `are older than ${formatDurationMs(oldMs)} (up to ${age(tally.oldestMs)}): the library shows the last one until it is replaced`,
      'Nothing to do for exemplard, which takes each in once; in Prometheus old ones push out new ones (prometheus#9377).',
    ),
    ...finding(
      'exemplars_misplaced',
      'info',
      tally.misplaced,
      `stand on samples where the specification has none (only _total of counters and buckets), first of ${shown(tally.misplaced?.detail ?? '')}; Prometheus takes them from 2.43 on`,
      'Expect other receivers to refuse the body.',
    ),
  ];
}

function shownCount(count: number): string {
  return Number.isFinite(count) ? String(count) : 'thousands';
}

/** In whole units, the largest that fits. */
function age(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (!(seconds < 1e11)) return 'ages';
  const units = [['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]] as const; // biome-ignore format: a table
  const [unit, unitSeconds] = units.find(([, size]) => seconds >= size) ?? ['second', 1];
  return countOf(Math.floor(seconds / unitSeconds), unit);
}

function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
