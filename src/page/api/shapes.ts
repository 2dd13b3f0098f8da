/**
 * What the page relies on in answers. A proxy between may answer instead of exemplard, and in Prometheus' shape, too:
 * such an answer has to be seen where it comes in, not by a view that finds nothing to show.
 */

const SERIES_EXEMPLARS = { seriesLabels: {}, exemplars: [{ labels: {}, value: '', timestamp: 0 }] };
const SINKS = [{ labels: {}, figures: {}, parts: {} }];

/** By path, with `*` for a name: an example without what may be null or missing. The one in a list stands for all. */
const SHAPES = {
  'status/page': {
    version: '',
    traceLinks: [{ label: '', name: '', url: '' }],
    traceIdLabels: [''],
    archive: '',
    perSeries: 0,
    maxExemplars: 0,
  },
  'status/sinks': { journal: SINKS, remote_write: SINKS, archive: SINKS, sampler: SINKS },
  targets: {
    activeTargets: [
      {
        labels: {},
        scrapePool: '',
        scrapeUrl: '',
        lastError: '',
        lastScrape: '',
        health: '',
        scrapeInterval: '',
        exemplarFindings: [{ code: '', severity: '', message: '', next: '' }],
      },
    ],
    droppedTargetCounts: {},
  },
  retention: {
    timestamp: 0,
    limits: { perSeries: 0, maxExemplars: 0, maxBytes: 0 },
    bytes: { slots: 0, labels: 0, index: 0 },
    groups: [
      { labels: {}, series: 0, exemplars: 0, windowSeconds: {}, rate: { '5m': 0, '1h': 0 }, forecast: {} },
    ],
  },
  query_exemplars: [SERIES_EXEMPLARS],
  'traces/*/exemplars': [SERIES_EXEMPLARS],
  labels: [''],
  'label/*/values': [''],
  metadata: {},
} as const;

type WithNames<Path extends string> = Path extends `${infer Start}*${infer End}`
  ? `${Start}${string}${End}`
  : Path;

export type ApiPath = WithNames<keyof typeof SHAPES>;

/** Whether it can be the answer of exemplard at that path. */
export function isAnswerOf(path: ApiPath, data: unknown): boolean {
  return isLike(data, SHAPES[path.replace(/\/.+\//, '/*/') as keyof typeof SHAPES]);
}

/** A stranger's list is another from its beginning on: 100,000 exemplars are not all looked at. */
const LOOKED_AT = 10;

function isLike(data: unknown, example: unknown): boolean {
  if (Array.isArray(example)) {
    return Array.isArray(data) && data.slice(0, LOOKED_AT).every((each) => isLike(each, example[0]));
  }
  if (typeof data !== typeof example || data === null || Array.isArray(data)) return false;
  if (typeof example !== 'object') return true;
  return Object.entries(example!).every(([name, of]) => isLike((data as Record<string, unknown>)[name], of));
}
