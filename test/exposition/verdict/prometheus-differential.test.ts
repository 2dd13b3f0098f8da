import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { prometheusVerdict } from '../../../src/exposition/verdict/prometheus.js';
import { prometheusMissing, startPrometheus } from '../../support/prometheus.js';
import fc from '../../support/properties.js';
import { serveTarget } from '../../support/target.js';
import { until } from '../../support/until.js';

const CASES = fileURLToPath(new URL('../../fixtures/openmetrics/cases', import.meta.url));

type Format = 'openmetrics' | 'text';

const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0',
  text: 'text/plain; version=0.0.4',
};

const PIECES = ['a', 'b', '{', '}', '{}', '"', '=', ',', ' ', '\n', '#', '# ', '# HELP ', '# TYPE ', '# UNIT ', 'a_s', 's', 'counter', '1', '2.5', 'NaN', '1e3', '\t', '\0', 'ü', '\\', '\\"', 'le="1"', ',b="c"', 'a{b="c"} 1\n', 'a{b="c"} 1 2\n', 'a_total 1 # {d="e"} 3 4\n', ' # {d="e"} 1', '# EOF\n', '# HELP a x\n', '# TYPE a counter\n']; // biome-ignore format: a list

interface Body {
  readonly bytes: Buffer;
  readonly format: Format;
}

/** What Debian's 2.42 judges otherwise than 3.14: the rest of this is about 3.14, and tested elsewhere. */
function isJudgedAlike({ bytes, format }: Body, error: string): boolean {
  const text = bytes.toString('latin1');
  const hasQuotedName = /[{,# ]\s*"/.test(text);
  const hasTrailingComma = format === 'openmetrics' && text.includes(',}');
  const hasBlankBeforeName = format === 'text' && /(^|\n)[ \t]+[^\s#]/.test(text);
  const isEmpty = text === '';
  return !hasQuotedName && !hasTrailingComma && !hasBlankBeforeName && !isEmpty && !/does not support exemplars/.test(error); // biome-ignore format: one condition
}

function generated(format: Format, ending: string): Body[] {
  const texts = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 10 });
  return fc
    .sample(texts, { numRuns: 250, seed: 42 })
    .map((pieces) => ({ bytes: Buffer.from(pieces.join('') + ending), format }));
}

t.test('Prometheus itself judges alike', { skip: prometheusMissing() }, async (t) => {
  const bodies: Body[] = [
    ...readdirSync(CASES).map(
      (file): Body => ({ bytes: readFileSync(join(CASES, file)), format: 'openmetrics' }),
    ),
    ...generated('openmetrics', '\n# EOF\n'),
    ...generated('openmetrics', ''),
    ...generated('text', ''),
  ];
  const target = await serveTarget((response, { url = '' }) => {
    const { bytes, format } = bodies[Number(url.slice(1))]!;
    response.writeHead(200, { 'content-type': CONTENT_TYPES[format] }).end(bytes);
  });
  t.teardown(() => target.close());
  const groups = bodies.map((_, i) => ({ targets: [target.address], labels: { __metrics_path__: `/${i}` } }));
  const prometheus = await startPrometheus({
    config: JSON.stringify({
      global: { scrape_interval: '2s', scrape_timeout: '2s' },
      scrape_configs: [{ job_name: 'bodies', static_configs: groups }],
    }),
  });
  t.teardown(() => prometheus.stop());
  interface Scraped {
    readonly scrapeUrl: string;
    readonly health: string;
    readonly lastError: string;
  }
  let scraped: Scraped[] = [];
  await until(async () => {
    const response = await fetch(`${prometheus.url}/api/v1/targets`);
    scraped = ((await response.json()) as { data: { activeTargets: Scraped[] } }).data.activeTargets;
    return scraped.length === bodies.length && scraped.every(({ health }) => health !== 'unknown');
  }, 'all bodies to be scraped');
  let compared = 0;
  for (const { scrapeUrl, lastError } of scraped) {
    const body = bodies[Number(new URL(scrapeUrl).pathname.slice(1))]!;
    if (!isJudgedAlike(body, lastError)) continue;
    compared++;
    const error = prometheusVerdict(body.bytes, body.bytes.length, body.format);
    t.equal(error === undefined, lastError === '', `${body.format} ${JSON.stringify(body.bytes.toString('latin1').slice(0, 120))}: ${error?.message} / ${lastError}`); // biome-ignore format: one comparison
  }
  t.ok(compared > 500, `${compared} bodies compared`);
});
