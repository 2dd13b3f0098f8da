import t from 'tap';
import type { Answer } from '../../src/forward/endpoint.js';
import {
  type JudgingRules,
  judge,
  MAX_RETRY_AFTER_MS,
  parseRetryAfter,
} from '../../src/forward/judgement.js';

const nowMs = Date.parse('Fri, 21 Nov 2025 10:00:00 GMT');
const sent = { samples: 3, exemplars: 5 };

const v1: JudgingRules = { message: 'prometheus.WriteRequest', retryOnHttp429: true, nowMs };
const v2: JudgingRules = { ...v1, message: 'io.prometheus.write.v2.Request' };

/** `counts`: samples, histograms, exemplars as the headers say; `-` where one is absent. */
function answerOf(status: number, counts = '- - -', body = ''): Answer {
  const [samples, histograms, exemplars] = counts
    .split(' ')
    .map((count) => (count === '-' ? undefined : Number(count)));
  return { status, retryAfter: undefined, written: { samples, histograms, exemplars }, body };
}

function f(rules: JudgingRules, answer: Answer, want: object, load = sent) {
  t.match(judge(answer, load, rules), want, JSON.stringify([rules.message, answer, load]));
}

const everything = { kind: 'delivered', written: sent };
f(v1, answerOf(200), everything);
f(v1, answerOf(204, '0 0 0'), everything);
f(v2, answerOf(204, '3 0 5'), everything);
f(v2, answerOf(299, '9 0 9'), everything);
f(v2, answerOf(204, '3 0 4'), { kind: 'delivered', written: { samples: 3, exemplars: 4 } });
f(v2, answerOf(204, '- - 4'), { kind: 'delivered', written: { samples: 0, exemplars: 4 } });
f(v2, answerOf(204, '3 - -'), { kind: 'delivered', written: { samples: 3, exemplars: 0 } });
// Decoded into nothing.
f(v2, answerOf(204), { kind: 'unknown message', status: 204 });
f(v2, answerOf(204, '0 0 0'), { kind: 'unknown message', status: 204 });
f(v2, answerOf(204, '- 0 -'), { kind: 'unknown message', status: 204 });
// Understood, but none of the series is known there.
const exemplarsAlone = { samples: 0, exemplars: 5 };
f(v2, answerOf(204, '0 0 0'), { kind: 'delivered', written: { samples: 0, exemplars: 0 } }, exemplarsAlone);
f(v2, answerOf(204), { kind: 'unknown message' }, exemplarsAlone);

f(v1, answerOf(400, '3 0 5', 'why'), { kind: 'refused', status: 400, error: 'HTTP 400: why' });
f(v2, answerOf(400), { kind: 'refused' });
f(v2, answerOf(400, '0 0 0'), { kind: 'refused' });
f(v2, answerOf(400, '3 0 4'), {
  kind: 'delivered',
  written: { samples: 3, exemplars: 4 },
  complaint: { status: 400 },
});
f(v2, answerOf(409, '0 0 5'), {
  kind: 'delivered',
  written: { samples: 0, exemplars: 5 },
  complaint: { status: 409 },
});

for (const rules of [v1, v2]) {
  f(rules, answerOf(415), { kind: 'unknown message', status: 415 });
  for (const status of [500, 502, 503, 504, 599, 429]) f(rules, answerOf(status), { kind: 'retry', status });
  for (const status of [300, 303, 401, 403, 404, 405, 418])
    f(rules, answerOf(status), { kind: 'final', status });
  f({ ...rules, retryOnHttp429: false }, answerOf(429), { kind: 'final' });
  f(rules, answerOf(413), { kind: 'refused', status: 413 });
}

function retryAfter(text: string | undefined, want: number | undefined) {
  t.equal(parseRetryAfter(text, nowMs), want, text ?? 'absent');
}

retryAfter(undefined, undefined);
retryAfter('0', undefined);
retryAfter('7', 7_000);
retryAfter('-3', undefined);
retryAfter('1.5', undefined);
retryAfter('soon', undefined);
retryAfter('', undefined);
retryAfter('Fri, 21 Nov 2025 10:01:00 GMT', 60_000);
retryAfter('Fri, 21 Nov 2025 09:59:00 GMT', undefined);
retryAfter('86400', MAX_RETRY_AFTER_MS);
retryAfter('9'.repeat(400), MAX_RETRY_AFTER_MS);
retryAfter('Fri, 21 Nov 2031 10:00:00 GMT', MAX_RETRY_AFTER_MS);
