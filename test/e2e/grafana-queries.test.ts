/**
 * Every query of the dashboards and alerts in `deploy`, asked of a real Prometheus that scrapes a busy exemplard; those of
 * dashboards through exemplard, as Grafana does.
 */
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { parse } from 'yaml';
import { openmetricsVerdict } from '../../src/exposition/verdict/openmetrics.js';
import { ROOT } from '../support/build.js';
import { startBusy } from '../support/busy-exemplard.js';
import { skipWithoutChdb } from '../support/chdb.js';
import {
  allPanels,
  chosenValues,
  interpolate,
  readDashboards,
  timeValues,
  variableRequest,
} from '../support/grafana.js';
import { prometheusMissing } from '../support/prometheus.js';
import { operandsOf } from '../support/promql-operands.js';

const TIMES = { stepSeconds: 5, rangeSeconds: 60, scrapeSeconds: 3 };

interface Question {
  readonly name: string;
  readonly ask: () => Promise<boolean>;
}

interface Rules {
  readonly groups: { readonly rules: { readonly alert: string; readonly expr: string }[] }[];
}

/** Asks again until there is data: archive, sampler and rates need some time. @returns those that have none */
async function unanswered(questions: readonly Question[], withinMs: number): Promise<string[]> {
  const deadlineMs = performance.now() + withinMs;
  let open = questions;
  for (;;) {
    const answers = await Promise.all(open.map(({ ask }) => ask()));
    open = open.filter((_, i) => !answers[i]);
    if (open.length === 0 || performance.now() > deadlineMs) return open.map(({ name }) => name);
    await setTimeout(1000);
  }
}

async function post(url: string, parameters: Record<string, string>): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(parameters) });
  const answer = (await response.json()) as { status: string; data: unknown; error?: string };
  if (answer.status !== 'success') throw new Error(`${JSON.stringify(parameters)}: ${answer.error}`);
  return answer.data;
}

/** Whether a query has a number that is one. */
async function hasData(url: string, query: string, isInstant: boolean): Promise<boolean> {
  const end = Date.now() / 1000;
  const range = {
    start: String(end - TIMES.rangeSeconds),
    end: String(end),
    step: String(TIMES.stepSeconds),
  };
  const data = (await (isInstant
    ? post(`${url}/api/v1/query`, { query })
    : post(`${url}/api/v1/query_range`, { query, ...range }))) as {
    result: { value?: [number, string]; values?: [number, string][] }[];
  };
  return data.result.some(({ value, values = [] }) =>
    [...values, ...(value === undefined ? [] : [value])].some(([, text]) => Number.isFinite(Number(text))),
  );
}

const skip = prometheusMissing() || skipWithoutChdb().skip || false;

t.test('against a busy exemplard', { skip }, async (t) => {
  const { exemplard, prometheus } = await startBusy(t);
  const dashboards = readDashboards();
  const questions: Question[] = [];
  for (const [file, dashboard] of dashboards) {
    const values = { ...chosenValues(dashboard), ...timeValues(TIMES) };
    for (const { title, targets = [] } of allPanels(dashboard)) {
      for (const { expr, instant, exemplar, refId } of targets) {
        const query = interpolate(expr, values);
        const name = `${file}: ${title} ${refId}: ${query}`;
        questions.push({ name, ask: () => hasData(exemplard.url, query, instant) });
        if (!exemplar) continue;
        questions.push({
          name: `${name}: exemplars`,
          ask: async () => (await exemplard.queryExemplars(query)).length > 0,
        });
      }
    }
    for (const { name, type, query, regex = '', current } of dashboard.templating.list) {
      if (type !== 'query' || typeof query === 'string') continue;
      const { path, match } = variableRequest(interpolate(query.query, values));
      questions.push({
        name: `${file}: $${name}`,
        async ask() {
          const parameters = new URLSearchParams(match === undefined ? {} : { 'match[]': match });
          const response = await fetch(`${exemplard.url}${path}?${parameters}`);
          const found = ((await response.json()) as { data: string[] }).data;
          const pattern = /^\/(.+)\/$/.exec(regex)?.[1];
          const shown =
            pattern === undefined ? found : found.map((text) => new RegExp(pattern).exec(text)?.[1]);
          const chosen = [current.value].flat()[0]!;
          return chosen === '$__all' ? shown.length > 0 : shown.includes(chosen);
        },
      });
    }
  }
  const rules = parse(readFileSync(`${ROOT}/deploy/alerts/exemplard.rules.yml`, 'utf8')) as Rules;
  const alerts = rules.groups.flatMap((group) => group.rules);
  for (const { alert, expr } of alerts) {
    const operands = operandsOf(expr);
    t.ok(operands.length > 0, `${alert} looks at something`);
    for (const operand of operands) {
      questions.push({
        name: `${alert}: ${operand}`,
        ask: () => hasData(prometheus.url, operand, true),
      });
    }
  }
  t.ok(questions.length > 130, `${questions.length} queries`);
  t.same(await unanswered(questions, 70_000), []);
  t.notOk(await hasData(prometheus.url, 'exemplard_none', true), 'and a metric that is none has no data');

  const evaluated = (await (await fetch(`${prometheus.url}/api/v1/rules`)).json()) as {
    data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
  };
  const health = evaluated.data.groups.flatMap((group) => group.rules);
  t.same(
    health.filter((rule) => rule.health !== 'ok'),
    [],
  );
  t.same(health.map(({ name }) => name).sort(), alerts.map(({ alert }) => alert).sort());

  const own = Buffer.from(await exemplard.metrics());
  t.same(openmetricsVerdict(own, own.length), [], 'its own metrics conform to OpenMetrics');
});
