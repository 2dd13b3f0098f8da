/** What docs/tutorial.md shows, as far as it can be judged without running it; test/e2e/tutorial.test.ts runs it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import { ROOT, temporaryDirectory } from '../support/build.js';
import { brokenLinks, codeBlocks } from '../support/markdown.js';
import { prometheusMissing } from '../support/prometheus.js';
import { promtool } from '../support/promtool.js';

const page = readFileSync(join(ROOT, 'docs/tutorial.md'), 'utf8');
const blocks = codeBlocks(page);
const file = (name: string) => blocks.find((block) => block.file === name)!.text;

t.test('configuration of exemplard loads without a warning', async (t) => {
  const texts = [file('exemplard.yml'), ...blocks.filter(({ word }) => word === 'exemplard').map(({ text }) => text)]; // biome-ignore format: one statement
  t.equal(texts.length, 3);
  for (const text of texts) t.match(loadConfig(text, 'tutorial.md'), { ok: true, warnings: [] });
  const whole = texts.join('');
  t.match(loadConfig(whole, 'tutorial.md'), { ok: true, warnings: [] }, 'all in one file');
  t.match(loadConfig(file('prometheus.yml'), 'prometheus.yml'), { ok: true }, 'and that of Prometheus');
});

t.test('both scrape the same targets under the same names', async (t) => {
  const jobs = (name: string) => (parse(file(name)) as { scrape_configs: { job_name: string }[] }).scrape_configs; // biome-ignore format: one statement
  t.same(jobs('exemplard.yml')[0], jobs('prometheus.yml')[0]);
});

t.test('promtool takes the configuration of Prometheus', { skip: prometheusMissing() }, async (t) => {
  t.same(promtool([file('prometheus.yml')]), [undefined]);
});

t.test('other YAML is YAML', async (t) => {
  t.match(parse(file('tempo.yaml')), { server: { http_listen_port: 3200 }, storage: { trace: { backend: 'local' } } }); // biome-ignore format: one statement
  t.match(parse(file('application.yaml')), {
    management: { 'endpoints.web.exposure.include': 'prometheus', 'tracing.sampling.probability': 1 },
  });
});

t.test('commands that no test runs are of programs that are not here', async (t) => {
  const elsewhere = /^(go mod|javac|(OTEL_\S+ )+java|pip|npm install|tempo|cp|mkdir|systemctl|#) ?/;
  const idle = blocks.filter(({ language, word }) => language === 'sh' && word === undefined);
  t.ok(idle.length > 3);
  for (const line of idle.flatMap(({ text }) => text.trimEnd().split('\n'))) t.match(line, elsewhere);
  const words = new Set(blocks.filter(({ language }) => language === 'sh').map(({ word }) => word));
  t.same(words, new Set([undefined, 'start', 'run']));
  for (const [path] of page.matchAll(/deploy\/grafana\/[\w/]+(?:\.md\b)?/g))
    t.ok(existsSync(join(ROOT, path)), path);
});

t.test('links lead somewhere', async (t) => {
  const pages = [
    'docs/tutorial.md',
    'deploy/grafana/README.md',
    'deploy/alerts/README.md',
    'deploy/kubernetes/README.md',
  ];
  for (const page of pages) t.same(brokenLinks(page), [], page);
});

const has = (program: string) => spawnSync(program, ['-h']).error === undefined;

t.test('Go is as gofmt writes it', { skip: has('gofmt') ? false : 'no Go' }, async (t) => {
  for (const name of ['shop.go', 'tracing.go']) {
    const { stdout, stderr } = spawnSync('gofmt', [], { input: file(name), encoding: 'utf8' });
    t.equal(stdout, file(name), stderr);
  }
});

/** The libraries are in no Debian package, so that it can be parsed and no more. */
const PARSE_JAVA = `import com.sun.source.util.JavacTask;
import java.nio.file.Path;
import javax.tools.*;

public class Parse {
  public static void main(String[] args) throws Exception {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> problems = new DiagnosticCollector<>();
    StandardJavaFileManager files = compiler.getStandardFileManager(problems, null, null);
    ((JavacTask) compiler.getTask(null, files, problems, null, null, files.getJavaFileObjects(Path.of(args[0])))).parse();
    problems.getDiagnostics().forEach(System.out::println);
    System.out.println(problems.getDiagnostics().size() + " problems");
  }
}
`;

t.test('Java can be parsed', { skip: has('javac') ? false : 'no JDK' }, async (t) => {
  const directory = await temporaryDirectory(t);
  writeFileSync(join(directory, 'Parse.java'), PARSE_JAVA);
  const problems = (text: string) => {
    writeFileSync(join(directory, 'Shop.java'), text);
    return spawnSync('java', ['Parse.java', 'Shop.java'], { cwd: directory, encoding: 'utf8' }).stdout;
  };
  t.equal(problems(file('Shop.java')), '0 problems\n');
  t.match(problems(file('Shop.java').replace('{', '')), /[1-9]\d* problems/, 'and it would tell');
});
