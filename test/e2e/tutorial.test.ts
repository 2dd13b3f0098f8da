/**
 * docs/tutorial.md, followed to the letter: its files in an empty directory, its commands in their order, on other ports.
 * In the place of OpenTelemetry's SDKs stand a few lines that begin spans and send none. Not run: Java (its libraries are in no Debian
 * package), Tempo, ClickHouse's collector and Grafana.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { buildProgram, ROOT, temporaryDirectory } from '../support/build.js';
import { type CodeBlock, codeBlocks } from '../support/markdown.js';
import { freePort, prometheusMissing, type QueriedSeries } from '../support/prometheus.js';
import { until } from '../support/until.js';

const PORTS = ['8081', '8082', '8083', '8084', '8092', '9199', '9090', '4318'];

/** What a command has to print, in the end: some need a scrape or two before. */
const EXPECTED: readonly (readonly [command: RegExp, output: RegExp])[] = [
  [/^for i in .*\/checkout/, /^(thank you\n){20}$/],
  [/^exemplard check metrics/, /Exemplars {2,}[1-9]/],
  [/^exemplard check config/, /^SUCCESS/],
  [
    /^exemplard query exemplars/,
    /^TIME +VALUE +EXEMPLAR.*\n.+ 0\.\d+ +span_id=[0-9a-f]{16} trace_id=[0-9a-f]{32} /,
  ],
  [/^exemplard query retention/, /^GROUP.*\n\{job="shop"\} +[1-9]/],
  [/^promtool check config/, /SUCCESS/],
  [/^curl .*\/query --data/, /^\{"status":"success","data":\{"resultType":"vector","result":\[\{"metric":\{\},"value":\[[\d.]+,"0?\.\d+"\]\}\]/], // biome-ignore format: one row
  [
    /^curl .*\/query_exemplars --data/,
    /^\{"status":"success","data":\[\{"seriesLabels":.*"trace_id":"[0-9a-f]{32}"/,
  ],
];

const GO_TRACING = `package main

import (
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func startTracing() func() {
	otel.SetTracerProvider(sdktrace.NewTracerProvider())
	return func() {}
}
`;

const PYTHON_TRACE = `import contextlib, random
from types import SimpleNamespace

current = None

class Tracer:
    @contextlib.contextmanager
    def start_as_current_span(self, name):
        global current
        ids = SimpleNamespace(trace_id=random.getrandbits(128), span_id=random.getrandbits(64), trace_flags=SimpleNamespace(sampled=True))
        current = SimpleNamespace(get_span_context=lambda: ids)
        yield current

get_tracer = lambda name: Tracer()
get_current_span = lambda: current
format_trace_id = lambda number: format(number, '032x')
format_span_id = lambda number: format(number, '016x')
`;

const NODE_REGISTER = `const { AsyncLocalStorage } = require('node:async_hooks');
const { randomBytes } = require('node:crypto');
const { context, ROOT_CONTEXT, trace } = require('@opentelemetry/api');
const contexts = new AsyncLocalStorage();
context.setGlobalContextManager({
  active: () => contexts.getStore() ?? ROOT_CONTEXT,
  with: (now, work, self, ...args) => contexts.run(now, () => work.apply(self, args)),
  bind: (now, work) => work, enable() { return this; }, disable() { return this; },
});
trace.setGlobalTracerProvider({ getTracer: () => ({ startActiveSpan(name, work) {
  const ids = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex'), traceFlags: 1 };
  const span = trace.wrapSpanContext(ids);
  return context.with(trace.setSpan(context.active(), span), () => work(span));
} }) });
`;

/** Debian's package belongs to Debian's interpreter, which may not be the first in the path. */
const python = ['python3', '/usr/bin/python3'].find(
  (each) => spawnSync(each, ['-c', 'import prometheus_client']).status === 0,
);
const GOPATH = '/usr/share/gocode';
const hasGo =
  spawnSync(
    'go',
    ['list', 'github.com/prometheus/client_golang/prometheus', 'go.opentelemetry.io/otel/sdk/trace'],
    {
      env: { ...process.env, GO111MODULE: 'off', GOPATH },
    },
  ).status === 0;
const isCi = process.env.CI === 'true';
/** Headings of languages that cannot be run here; on a machine that tests everything all can but Java. */
const left = new Set([
  'Java',
  ...(python === undefined && !isCi ? ['Python'] : []),
  ...(hasGo || isCi ? [] : ['Go']),
]);

async function put(path: string, text: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, mode);
}

/** The command as it is installed, but where the page leaves port 9199 to the defaults, it is another. */
function exemplardOn(address: string, program: string): string {
  return `#!/bin/sh
case "$1" in
  --*) set -- "$@" --web.listen-address=${address} ;;
  query) set -- "$@" --server=http://${address} ;;
esac
exec '${process.execPath}' '${program}' "$@"
`;
}

/** What is not the tutorial's own: programs that it takes as installed. */
async function install(directory: string, address: string): Promise<void> {
  const tools = join(directory, 'tools');
  await mkdir(tools);
  const program = await buildProgram(tools);
  const bin = join(tools, 'bin');
  await put(join(bin, 'exemplard'), exemplardOn(address, program), 0o755);
  await put(join(bin, 'opentelemetry-instrument'), '#!/bin/sh\nexec "$@"\n', 0o755);
  await put(join(bin, 'python3'), `#!/bin/sh\nexec '${python ?? 'python3'}' "$@"\n`, 0o755);
  await put(join(tools, 'python/opentelemetry/__init__.py'), '');
  await put(join(tools, 'python/opentelemetry/trace.py'), PYTHON_TRACE);
  const modules = join(directory, 'node_modules');
  await mkdir(join(modules, '@opentelemetry'), { recursive: true });
  for (const name of ['prom-client', 'tdigest', 'bintrees', '@opentelemetry/api'])
    await cp(join(ROOT, 'node_modules', name), join(modules, name), { recursive: true });
  await put(join(modules, '@opentelemetry/auto-instrumentations-node/register.js'), NODE_REGISTER);
}

t.test('the whole way', { skip: prometheusMissing() }, async (t) => {
  const directory = await temporaryDirectory(t);
  const ports = new Map(
    await Promise.all(PORTS.map(async (port) => [port, String(await freePort())] as const)),
  );
  await install(directory, `127.0.0.1:${ports.get('9199')}`);
  const elsewhere = (text: string) =>
    text.replace(new RegExp(`\\b(${PORTS.join('|')})\\b`, 'g'), (port) => ports.get(port)!);
  const tools = join(directory, 'tools');
  const { NODE_OPTIONS: _, ...rest } = process.env;
  const env = {
    ...rest,
    PATH: `${join(tools, 'bin')}:${process.env.PATH}`,
    PYTHONPATH: join(tools, 'python'),
    GO111MODULE: 'off',
    GOPATH,
  };
  const page = await readFile(join(ROOT, 'docs/tutorial.md'), 'utf8');
  const blocks = codeBlocks(page).filter(({ section }) => !left.has(section));
  for (const { file, text } of blocks)
    if (file !== undefined) await put(join(directory, file), elsewhere(text));
  await put(join(directory, 'tracing.go'), GO_TRACING);

  const printed = new Map<string, string>();
  const start = ({ text }: CodeBlock) => {
    const child = spawn('sh', ['-c', elsewhere(text)], { cwd: directory, env, detached: true });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => printed.set(text, `${printed.get(text) ?? ''}${chunk}`.slice(-5000)));
    t.teardown(() => endGroup(child));
  };
  const run = async ({ text }: CodeBlock) => {
    const [, output] = EXPECTED.find(([command]) => command.test(text)) ?? [];
    if (output === undefined) throw new Error(`nothing is expected of: ${text}`);
    let last = '';
    const isGood = async () => {
      const child = spawn('sh', ['-euc', elsewhere(text)], { cwd: directory, env });
      last = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (last += chunk));
      const [code] = await once(child, 'close');
      if (code === 0 && output.test(last)) return true;
      await setTimeout(200);
      return false;
    };
    try {
      await until(isGood, text);
      t.pass(text);
    } catch {
      t.fail(`${text}${last}`, { printed: Object.fromEntries(printed) });
    }
  };
  for (const block of blocks) {
    if (block.word === 'start') start(block);
    if (block.word === 'run') await run(block);
  }
  t.ok(blocks.filter(({ word }) => word === 'run').length >= 9, 'commands that ran');

  const url = `http://127.0.0.1:${ports.get('9199')}/api/v1/query_exemplars?query=http_request_duration_seconds_bucket`;
  const { data } = (await (await fetch(url)).json()) as { data: QueriedSeries[] };
  const languages = [['Go', '8081'], ['Python', '8083'], ['Node', '8084']] as const; // biome-ignore format: one list
  for (const [language, port] of languages) {
    if (left.has(language)) continue;
    const instance = `127.0.0.1:${ports.get(port)}`;
    const found = data.filter(({ seriesLabels }) => seriesLabels.instance === instance);
    const ids = found.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels));
    t.ok(ids.length >= 2, `${language}: ${ids.length} exemplars`);
    for (const labels of ids)
      t.match(labels, { trace_id: /^[0-9a-f]{32}$/, span_id: /^[0-9a-f]{16}$/ }, language);
    t.match(found[0]!.seriesLabels, { job: 'shop', route: '/checkout' });
  }
});

/** A shell, and what it has started. */
async function endGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  process.kill(-child.pid!, 'SIGKILL');
  await ended;
}
