// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of rules
/**
 * Rules by the hundred, applied by us and by a real Prometheus to the labels of targets. Left out is what differs
 * between versions: a newline, which a dot matches since 3.0, and several labels that labelmap gives one name, of which
 * Prometheus takes any.
 */

import t from 'tap';
import { labelsFromRecord, labelsToRecord } from '../../src/model/labels.js';
import { compileRules, DEFAULT_RELABEL_RULE, type RelabelRule, relabel } from '../../src/model/relabel.js';
import { startApp } from '../support/app.js';
import { prometheusMissing, startPrometheus } from '../support/prometheus.js';
import fc from '../support/properties.js';
import { body, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

/** As they stand in a configuration file. */
interface Rule {
  readonly action: RelabelRule['action'];
  readonly source_labels?: readonly string[];
  readonly separator?: string;
  readonly regex?: string;
  readonly modulus?: number;
  readonly target_label?: string;
  readonly replacement?: string;
}

const NAME = fc.constantFrom('a', 'b', 'c', 'd', 'e1', 'e2', 'job');
const VALUE = fc.constantFrom('', 'foo', 'bar', 'Foo_Bar', 'x-y.z', 'a;b', 'ä漢İΣß', '007', '$1', ' ');
const REGEX = fc.constantFrom('(.*)', '(.+)', '', 'foo|bar', 'f(o+)', '(?i)FOO(_)?(.*)', '(.*);(.*)', '.*\\n.*', '(?P<word>\\w+).*', '[^a-z]+', '(foo)?(.*)'); // biome-ignore format: one line
const REPLACEMENT = fc.constantFrom('$1', '${1}x', '$1x', '$2$1', '${word}', '$word', '$$1', '$', '', 'text', '$0-$3', '${1', 'é$1'); // biome-ignore format: one line
const SOURCE = { source_labels: fc.array(NAME, { maxLength: 3 }), separator: fc.constantFrom(';', '', '--') };
const KEPT = '__.*|job';

const RULE: fc.Arbitrary<Rule> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ action: fc.constant('replace' as const), ...SOURCE, regex: REGEX, target_label: NAME, replacement: REPLACEMENT }) }, // biome-ignore format: one line
  fc.record({ action: fc.constant('replace' as const), ...SOURCE, regex: fc.constant('([a-z]+).*'), target_label: fc.constantFrom('t_$1', '$1', 't$1_$2') }), // biome-ignore format: one line
  fc.record({ action: fc.constantFrom('keep' as const, 'drop' as const), ...SOURCE, regex: REGEX }),
  fc.record({ action: fc.constantFrom('keepequal' as const, 'dropequal' as const), source_labels: SOURCE.source_labels, target_label: NAME }), // biome-ignore format: one line
  fc.record({ action: fc.constant('hashmod' as const), ...SOURCE, modulus: fc.integer({ min: 1, max: 2 ** 50 }), target_label: NAME }), // biome-ignore format: one line
  fc.record({ action: fc.constant('labelmap' as const), regex: fc.constantFrom('(e.)', 'e(.)', '([a-d])'), replacement: fc.constantFrom('m_$1', 'm_${1}_$0') }), // biome-ignore format: one line
  fc.record({ action: fc.constant('labeldrop' as const), regex: fc.constantFrom('a|b', 'e.', 'e', 't_.*') }),
  fc.record({
    action: fc.constant('labelkeep' as const),
    regex: fc.constantFrom(`${KEPT}|a|e.`, `${KEPT}|.`),
  }),
  fc.record({ action: fc.constantFrom('lowercase' as const, 'uppercase' as const), ...SOURCE, target_label: NAME }), // biome-ignore format: one line
);
const TARGET = fc.record({
  labels: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'e1', 'e2'), VALUE, { maxKeys: 5 }),
  rules: fc.array(RULE, { minLength: 1, maxLength: 6 }),
});

interface Target {
  readonly scrapePool: string;
  readonly labels: Record<string, string>;
}

/** The labels without those of Prometheus alone; undefined: dropped. */
function ours(job: string, labels: Record<string, string>, rules: readonly Rule[]) {
  const discovered = { ...labels, job, __address__: 'h:1', __scheme__: 'http', __metrics_path__: '/metrics', __scrape_interval__: '1h', __scrape_timeout__: '10s' }; // biome-ignore format: one line
  const resolved = rules.map((rule) => ({
    ...DEFAULT_RELABEL_RULE,
    action: rule.action,
    sourceLabels: rule.source_labels ?? [],
    separator: rule.separator ?? ';',
    regex: rule.regex ?? '(.*)',
    modulus: rule.modulus ?? 0,
    targetLabel: rule.target_label ?? '',
    replacement: rule.replacement ?? '$1',
  }));
  const result = relabel(labelsFromRecord(discovered), compileRules(resolved));
  if (result === undefined) return undefined;
  const shown = Object.entries(labelsToRecord(result)).filter(([name]) => !name.startsWith('__'));
  return { ...Object.fromEntries(shown), instance: 'h:1' };
}

t.test('relabelling is that of Prometheus', { skip: prometheusMissing() }, async (t) => {
  const targets = fc.sample(TARGET, { numRuns: 600, seed: 42 });
  const jobs = targets.map(({ labels, rules }, i) => ({
    job_name: `job-${i}`,
    scrape_interval: '1h',
    static_configs: [{ targets: ['h:1'], labels }],
    relabel_configs: rules,
  }));
  const prometheus = await startPrometheus({ config: JSON.stringify({ scrape_configs: jobs }) });
  t.teardown(() => prometheus.stop());
  let active: Target[] = [];
  let dropped = 0;
  const haveCome = async () => {
    const response = await fetch(`${prometheus.url}/api/v1/targets`);
    const { data } = (await response.json()) as { data: { activeTargets: Target[]; droppedTargets: unknown[] } }; // biome-ignore format: one line
    active = data.activeTargets;
    dropped = data.droppedTargets.length;
    return active.length + dropped >= jobs.length;
  };
  await until(haveCome, 'all targets');
  const byJob = new Map(active.map(({ scrapePool, labels }) => [scrapePool, labels]));
  for (const [i, { labels, rules }] of targets.entries()) {
    const want = byJob.get(`job-${i}`);
    t.strictSame(ours(`job-${i}`, labels, rules), want, JSON.stringify({ labels, rules }));
  }
  t.ok(active.length > 200 && dropped > 50, `${active.length} targets, ${dropped} dropped`);
});

/** What the target shows: the labels that rules are about, in all their values. */
function exposition(): string {
  const timestamp = (Date.now() / 1000 - 30).toFixed(3);
  const lines = fc
    .sample(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'e1', 'e2'), VALUE, { maxKeys: 4 }), {
      numRuns: 12,
      seed: 7,
    })
    .map((labels, i) => {
      const pairs = Object.entries({ ...labels, nr: String(i) }).map(([name, value]) => `${name}="${value}"`);
      return `c_total{${pairs.join(',')}} ${i} # {trace_id="${i}"} ${i} ${timestamp}`;
    });
  return ['# TYPE c counter', ...lines, '# EOF', ''].join('\n');
}

t.test(
  'relabelled series are those of Prometheus',
  { skip: prometheusMissing(), timeout: 60_000 },
  async (t) => {
    const target = await serveTarget(body(exposition()));
    t.teardown(() => target.close());
    const lists = fc.sample(fc.array(RULE, { minLength: 1, maxLength: 5 }), { numRuns: 80, seed: 11 });
    const config = JSON.stringify({
      global: { scrape_interval: '1s', scrape_timeout: '900ms' },
      scrape_configs: lists.map((rules, i) => ({
        job_name: `job-${i}`,
        static_configs: [{ targets: [target.address] }],
        metric_relabel_configs: rules,
      })),
    });
    const [prometheus, app] = await Promise.all([startPrometheus({ config }), startApp(config)]);
    t.teardown(() => Promise.all([prometheus.stop(), app.stop()]));
    const haveScraped = async (url: string) => {
      const { data } = (await (await fetch(`${url}/api/v1/targets`)).json()) as { data: { activeTargets: { health: string }[] } }; // biome-ignore format: one line
      return (
        data.activeTargets.length === lists.length &&
        data.activeTargets.every(({ health }) => health !== 'unknown')
      );
    };
    for (const { url } of [prometheus, app]) await until(() => haveScraped(url), 'all scrapes');
    const labelSets = async (peer: Pick<typeof app, 'queryExemplars'>) => {
      const found = await peer.queryExemplars('{__name__=~".+"}');
      return new Set(found.map(({ seriesLabels }) => JSON.stringify(Object.entries(seriesLabels).sort())));
    };
    const [ours, theirs] = [await labelSets(app), await labelSets(prometheus)];
    t.same(
      [...ours].filter((each) => !theirs.has(each)),
      [],
      'none but theirs',
    );
    t.same(
      [...theirs].filter((each) => !ours.has(each)),
      [],
      'all of theirs',
    );
    t.ok(theirs.size > 200, `${theirs.size} series`);
  },
);
