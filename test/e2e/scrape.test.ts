import { gzipSync } from 'node:zlib';
import t from 'tap';
import { startApp } from '../support/app.js';
import { serveChanging } from '../support/changing-target.js';
import { body, type ServedTarget, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const EXEMPLAR = `# {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.5 ${(Date.now() / 1000 - 60).toFixed(3)}`;

async function serve(text: string | Buffer, headers: Record<string, string> = {}): Promise<ServedTarget> {
  const target = await serveTarget(body(text, headers));
  t.teardown(() => target.close());
  return target;
}

const job = (name: string, target: ServedTarget, more = '') =>
  `- job_name: ${name}\n  static_configs: [{targets: ['${target.address}'], labels: {env: prod}}]\n${more}`;

const GLOBAL = 'global: {scrape_interval: 1s, scrape_timeout: 500ms}\n';

/** `metric {…}` of every series, without instance, whose port would decide the order. */
async function seriesOf(
  app: { queryExemplars(query: string): Promise<{ seriesLabels: Record<string, string> }[]> },
  query: string,
) {
  const answer = await app.queryExemplars(query);
  const texts = answer.map(
    ({ seriesLabels: { __name__, instance, ...labels } }) => `${__name__} ${JSON.stringify(labels)}`,
  );
  return texts.sort();
}

t.test('what a configuration says about a job reaches its series', async (t) => {
  const text = `a_total{env="dev",x="1"} 1 ${EXEMPLAR}\nb_total{job="mine"} 1 ${EXEMPLAR}\n# EOF\n`;
  const target = await serve(text);
  const zipped = await serve(gzipSync(text), { 'content-encoding': 'gzip' });
  const hanging = await serveTarget(() => {});
  t.teardown(() => hanging.close());
  const app = await startApp(
    `${GLOBAL}scrape_configs:\n${[
      job('plain', target),
      job('honor', target, '  honor_labels: true\n'),
      job('zipped', zipped),
      job('samples', target, '  sample_limit: 1\n'),
      job('size', zipped, '  body_size_limit: 50B\n'),
      job('labels', target, '  label_limit: 4\n'),
      job('hanging', hanging),
    ].join('')}`,
  );
  t.teardown(() => app.stop());
  const failures = async () =>
    [...(await app.metrics()).matchAll(/scrape_failures_total{job="(.*)",reason="(.*)"}/g)].map(
      ([, job, reason]) => `${job} ${reason}`,
    );
  await until(() => target.requests.length >= 8 && zipped.requests.length >= 4, 'everyone to be scraped');
  await until(async () => (await failures()).includes('hanging timeout'), 'a timeout');
  const bad = ['labels exposition', 'samples exposition', 'size body_size'];
  // On a busy machine, any may be late once.
  const others = async () => (await failures()).filter((each) => !each.endsWith(' timeout')).sort();
  await until(async () => (await others()).length >= bad.length, 'the failures');
  t.same(await others(), bad);
  await until(async () => (await seriesOf(app, '{env=~".+"}')).length === 6, 'all series');
  t.same(await seriesOf(app, '{job=~"plain|zipped"}'), [
    'a_total {"env":"prod","exported_env":"dev","job":"plain","x":"1"}',
    'a_total {"env":"prod","exported_env":"dev","job":"zipped","x":"1"}',
    'b_total {"env":"prod","exported_job":"mine","job":"plain"}',
    'b_total {"env":"prod","exported_job":"mine","job":"zipped"}',
  ]);
  t.same(await seriesOf(app, '{env="dev"} or {job="mine"}'), [
    'a_total {"env":"dev","job":"honor","x":"1"}',
    'b_total {"env":"prod","job":"mine"}',
  ]);
  t.same(await seriesOf(app, '{job=~"samples|size|labels|hanging"}'), []);
});

t.test('caps hold under targets that expose more', async (t) => {
  const { served: target, scraped } = await serveChanging(() => {
    const round = scraped.size + 1;
    const lines = Array.from({ length: 200 }, (_, i) => {
      const seconds = (Date.now() / 1000 - 100 + round).toFixed(3);
      return `m_total{i="${i + 50 * round}"} 1 # {trace_id="${i}",round="${round}"} 1 ${seconds}\n`;
    });
    return { text: `${lines.join('')}# EOF\n`, ids: [String(round)] };
  });
  t.teardown(() => target.close());
  const app = await startApp(
    `${GLOBAL}storage: {exemplars: {per_series: 2, max_exemplars: 150, max_series: 100}}\nscrape_configs:\n${job('j', target)}`,
  );
  t.teardown(() => app.stop());
  await until(() => scraped.size >= 3, 'three scrapes');
  const answer = await app.queryExemplars('m_total');
  t.equal(answer.length, 100);
  const numbers = answer.map(({ seriesLabels }) => Number(seriesLabels.i)).sort((a, b) => a - b);
  t.same([numbers[0], numbers.at(-1)], [50, 149], 'those that came first, and are in use');
  const isUp = async () => /scrape_targets{job="j",health="up"} 1/.test(await app.metrics());
  await until(isUp, 'a scrape that is good for all that');
  const metrics = await app.metrics();
  t.match(metrics, /exemplard_series_refused_total [1-9]/);
  t.match(metrics, /exemplard_scrape_dropped_lines_total{job="j",by="max_series"} [1-9]/);
  t.notMatch(metrics, /reason="internal"/);
  t.match(metrics, /\nexemplard_series 100\n/);
});
