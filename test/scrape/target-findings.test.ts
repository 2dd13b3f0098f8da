import { gzipSync } from 'node:zlib';
import t from 'tap';
import { ScrapeFailure } from '../../src/scrape/failure.js';
import type { ScrapeJobOptions } from '../../src/scrape/options.js';
import { findingOfFailure } from '../../src/scrape/target-findings.js';
import { createManager, job, nextScrape } from '../support/scraping.js';
import { type Answer, body, serveTarget } from '../support/target.js';

const ID = '0af7651916cd43dd8448eb211c80319c';
const SOUND = `# TYPE m counter\nm_total 1 # {trace_id="${ID}"} 1 1000\n# EOF\n`;

/** The codes of the doctor after one scrape of each answer. */
async function codesOf(answers: readonly Answer[], options: Partial<ScrapeJobOptions> = {}) {
  const target = await serveTarget();
  t.teardown(() => target.close());
  const parts = createManager(t);
  await parts.manager.apply([job(target, options)]);
  const codes: string[] = [];
  for (const answer of answers) {
    target.answer = answer;
    await nextScrape(parts);
    codes.push(
      parts
        .loops()[0]!
        .findings.map(({ code }) => code)
        .join(' '),
    );
  }
  return codes;
}

const withoutType =
  (text: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(200, headers).end(text);
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(code, headers).end();

t.test('a scrape without a body to examine has the findings of check metrics', async (t) => {
  const gzip = { 'content-encoding': 'gzip' };
  t.same(
    await codesOf([
      body(SOUND),
      status(401),
      status(403),
      status(404),
      status(500),
      status(302),
      body(SOUND, { 'content-encoding': 'br' }),
      body(SOUND, gzip),
      body(gzipSync(SOUND).subarray(0, 40), gzip),
      (response) => response.socket?.destroy(),
      body(SOUND),
      body(''),
      withoutType(''),
      body('x', { 'content-type': 'application/vnd.google.protobuf' }),
      body(SOUND),
    ]),
    [
      'exemplars_old',
      'unauthorized',
      'forbidden',
      'not_found',
      'http_status',
      'redirect',
      'encoding_not_asked_for',
      'bad_encoding',
      'bad_encoding',
      'connection_lost',
      'exemplars_old',
      'no_samples',
      'no_samples',
      'protobuf_unreadable',
      'exemplars_old',
    ],
  );
  t.same(await codesOf([body(SOUND)], { bodySizeLimitBytes: 10 }), ['body_too_large']);
  const many = body(`# TYPE g gauge\ng{i="1"} 1\ng{i="2"} 1\n${SOUND}`);
  t.same(await codesOf([many], { sampleLimit: 2 }), ['scrape_failed exemplars_old']);
});

t.test('a Content-Type that is none', async (t) => {
  t.same(await codesOf([withoutType(SOUND)]), ['content_type_missing exemplars_old']);
  t.same(await codesOf([body(SOUND, { 'content-type': 'a/b' })]), ['content_type_unusable exemplars_old']);
  const html = body('<html>\n</html>\n', { 'content-type': 'text/html' });
  t.same(await codesOf([html, body(SOUND)]), ['answer_is_html', 'exemplars_old']);
  t.same(await codesOf([withoutType(SOUND)], { fallbackScrapeProtocol: 'OpenMetricsText1.0.0' }), [
    'content_type_fallback exemplars_old',
  ]);
});

t.test('exemplars in text/plain that are read', async (t) => {
  const text = body(SOUND.replace('m counter', 'm_total counter').replace('# EOF\n', ''), {
    'content-type': 'text/plain',
  });
  const [passedOver] = await codesOf([text]);
  t.match(passedOver, /exemplars_in_text_format/);
  const [read] = await codesOf([text], { textExemplars: 'read' });
  t.match(read, 'prometheus_rejects');
  t.notMatch(read, /exemplars_in_text_format|text_format_only/);
});

t.test('next steps are those of a job', async (t) => {
  const next = (...failure: ConstructorParameters<typeof ScrapeFailure>) =>
    findingOfFailure(new ScrapeFailure(...failure)).next;
  t.match(next('timeout', 'x', { kind: 'timeout', timeoutMs: 1000 }), /scrape_timeout/);
  const error = Object.assign(new Error('x'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  t.match(next('connect', 'x', { kind: 'connection', error, isTls: true }), /ca_file in tls_config/);
  t.match(next('body_size', 'x', { kind: 'size', maxBytes: 1 }), /body_size_limit/);
});
