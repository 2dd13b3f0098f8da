/** `deploy/kubernetes`, as far as it can be checked without a cluster. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfigFile } from '../../src/config/load.js';
import { readMeta } from '../../src/discovery/kubernetes/object.js';
import { podKind } from '../../src/discovery/kubernetes/pod.js';
import { podRole } from '../../src/discovery/kubernetes/pod-role.js';
import { labelValue } from '../../src/model/labels.js';
import type { TargetGroup } from '../../src/model/target-group.js';
import { startApp } from '../support/app.js';
import { ROOT, runNode, temporaryDirectory } from '../support/build.js';
import { pod } from '../support/kubernetes-objects.js';
import { findTargets } from '../support/scrape-target.js';

type Labels = Readonly<Record<string, string>>;
type Selector = { readonly matchLabels: Labels };

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly resources: { readonly requests: Labels; readonly limits: Labels };
  readonly securityContext: object;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[]; // biome-ignore format: one line
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface PodSpec {
  readonly serviceAccountName?: string;
  readonly securityContext: object;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
}

interface Workload {
  readonly replicas?: number;
  readonly selector: Selector;
  readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
  readonly serviceName?: string;
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has another, and each test says which it looks at
  readonly spec: any;
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly configMapGenerator?: readonly { readonly name: string; readonly files: readonly string[] }[];
  readonly images?: readonly { readonly name: string }[];
}

const DIRECTORY = join(ROOT, 'deploy/kubernetes');
const read = (path: string) => readFileSync(join(DIRECTORY, path), 'utf8');
const manifestsOf = (path: string) =>
  parseAllDocuments(read(path)).map((document) => document.toJS() as Manifest);
const kustomization = (folder: string) => parse(read(`${folder}/kustomization.yaml`)) as Kustomization;

const central = kustomization('central').resources.flatMap((file) => manifestsOf(`central/${file}`));
const monitoring = kustomization('monitoring').resources.flatMap((file) => manifestsOf(`monitoring/${file}`));
const sidecar = manifestsOf('sidecar.yaml');
const all = [...central, ...monitoring, ...sidecar];

function only(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter((each) => each.kind === kind && (name ?? each.metadata.name) === each.metadata.name); // biome-ignore format: one statement
  if (found.length !== 1) throw new Error(`${found.length} of ${kind} ${name ?? ''}`);
  return found[0]!;
}

const statefulSet = only(central, 'StatefulSet').spec as Workload;
const deployment = only(sidecar, 'Deployment').spec as Workload;
const workloads = [statefulSet, deployment];
const containersOf = ({ template }: Workload) => [...(template.spec.initContainers ?? []), ...template.spec.containers]; // biome-ignore format: one statement
const exemplards = workloads.map(
  ({ template }) => template.spec.containers.find(({ name }) => name === 'exemplard')!,
);

function selects({ matchLabels }: Selector, labels: Labels = {}): boolean {
  const entries = Object.entries(matchLabels);
  return entries.length > 0 && entries.every(([name, value]) => labels[name] === value);
}

t.test('every file is used, and every object has a name of its own', async (t) => {
  for (const folder of ['central', 'monitoring']) {
    const { resources, configMapGenerator = [] } = kustomization(folder);
    const used = [...resources, ...configMapGenerator.flatMap(({ files }) => files), 'kustomization.yaml'];
    t.same(readdirSync(join(DIRECTORY, folder)).sort(), used.sort(), folder);
  }
  for (const { apiVersion, kind, metadata } of all)
    t.ok(apiVersion && kind && metadata.name, `${kind} ${metadata.name}`);
  const names = all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  t.equal(new Set(names).size, names.length);
});

t.test('containers may do no more than they need', async (t) => {
  for (const workload of workloads) {
    const { securityContext } = workload.template.spec;
    t.match(securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const { name, securityContext, resources } of containersOf(workload)) {
      t.match(
        securityContext,
        {
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
        },
        name,
      );
      t.ok(resources.requests.cpu && resources.requests.memory && resources.limits.memory, `${name}: limits`);
    }
  }
});

t.test('flags, probes and ports are those of exemplard', async (t) => {
  const help = (await runNode(['--import=tsx', 'src/main.ts', '--help'])).stdout;
  const app = await startApp('');
  t.teardown(() => app.stop());
  for (const { args, ports, livenessProbe, readinessProbe } of exemplards) {
    for (const argument of args!) {
      const flag = argument.split('=')[0]!;
      t.match(help, new RegExp(`${flag.replaceAll('.', '\\.')}\\b`), argument);
    }
    t.equal(ports!.length, 1);
    t.match(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'), `EXPOSE ${ports![0]!.containerPort}\n`);
    t.not(livenessProbe!.httpGet.path, readinessProbe!.httpGet.path);
    for (const { httpGet } of [livenessProbe!, readinessProbe!]) {
      t.equal(httpGet.port, ports![0]!.name);
      t.equal((await fetch(app.url + httpGet.path)).status, 200, httpGet.path);
    }
  }
});

t.test('selectors select, and ports that are named are there', async (t) => {
  const podsOf = (selector: Selector) =>
    workloads.filter(({ template }) => selects(selector, template.metadata.labels));
  for (const workload of workloads) t.same(podsOf(workload.selector), [workload]);
  const portNames = (workload: Workload) =>
    workload.template.spec.containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name));

  const services = central.filter(({ kind }) => kind === 'Service');
  t.equal(services.length, 2);
  for (const { spec, metadata } of services) {
    t.same(podsOf({ matchLabels: spec.selector }), [statefulSet], metadata.name);
    t.ok(portNames(statefulSet).includes(spec.ports[0].targetPort));
  }
  t.equal(only(central, 'Service', statefulSet.serviceName).spec.clusterIP, 'None');
  t.equal(only(central, 'Service', 'exemplard').spec.sessionAffinity, 'ClientIP', 'a page is of one shard');
  t.same(podsOf(only(central, 'PodDisruptionBudget').spec.selector), [statefulSet]);
  const policy = only(central, 'NetworkPolicy').spec;
  t.same(podsOf(policy.podSelector), [statefulSet]);
  t.ok(portNames(statefulSet).includes(policy.ingress[0].ports[0].port));

  const serviceMonitor = only(monitoring, 'ServiceMonitor').spec;
  const found = services.filter(({ metadata }) => selects(serviceMonitor.selector, metadata.labels));
  t.equal(found.length, 1, 'each pod through one service only');
  t.ok(found[0]!.spec.ports.some(({ name }: { name: string }) => name === serviceMonitor.endpoints[0].port));
  const podMonitor = only(monitoring, 'PodMonitor').spec;
  t.same(podsOf(podMonitor.selector), [deployment]);
  t.ok(portNames(deployment).includes(podMonitor.podMetricsEndpoints[0].port));
  for (const endpoint of [serviceMonitor.endpoints[0], podMonitor.podMetricsEndpoints[0]])
    t.notOk(endpoint.honorLabels, 'dashboards and alerts expect exported_job');
});

t.test('volumes that are mounted are there', async (t) => {
  for (const workload of workloads) {
    const { volumes = [] } = workload.template.spec;
    const claims = (workload.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
    const there = [...volumes.map(({ name }) => name), ...claims];
    const mounted = containersOf(workload).flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name)); // biome-ignore format: one statement
    t.same([...new Set(mounted)].sort(), there.sort());
  }
  const { configMapGenerator, images } = kustomization('central');
  const configMap = statefulSet.template.spec.volumes!.find(({ configMap }) => configMap !== undefined)!;
  t.equal(configMap.configMap!.name, configMapGenerator![0]!.name);
  for (const { image } of containersOf(statefulSet)) t.equal(image, images![0]!.name);
  const storage = exemplards[0]!.args!.find((each) => each.startsWith('--storage.path='))!.split('=')[1];
  const mount = exemplards[0]!.volumeMounts!.find(({ mountPath }) => mountPath === storage)!;
  t.ok(claims(statefulSet).includes(mount.name) && !mount.readOnly, 'what outlives a restart is on a claim');
});

function claims({ volumeClaimTemplates = [] }: Workload): string[] {
  return volumeClaimTemplates.map(({ metadata }) => metadata.name);
}

/** Runs the init container's own command, its mounts being folders here. @returns the file it has written */
function render(directory: string, podName: string): string {
  const [init] = statefulSet.template.spec.initContainers!;
  const [shell, options, script] = init!.command!;
  const [template, config] = ['/template', '/etc/exemplard'].map((path) =>
    init!.volumeMounts!.find(({ mountPath }) => mountPath === path),
  );
  if (template === undefined || config === undefined || config.readOnly) throw new Error('no place to write');
  const file = join(directory, `${podName}.yaml`);
  const here = script!
    .replace('/template/exemplard.yaml', join(DIRECTORY, 'central/exemplard.yaml'))
    .replace('/etc/exemplard/exemplard.yaml', file);
  const shards = init!.env!.find(({ name }) => name === 'SHARDS')!.value!;
  const env = { PATH: process.env.PATH, POD_NAME: podName, SHARDS: shards };
  const { status, stderr } = spawnSync(shell!, [options!, here], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return file;
}

/** As kubernetes_sd_configs would find them. */
function discovered(count: number): TargetGroup[] {
  const nowhere = { pods: new Map(), services: new Map(), nodes: undefined, namespaces: undefined };
  return Array.from({ length: count }, (_, i) => {
    const raw = pod(`pod-${i}`, `10.0.${i >> 8}.${i & 255}`, [8080, 9090]);
    return podRole(false).build(podKind.read(raw as never, readMeta(raw as never)), nowhere)!;
  });
}

t.test('all shards together scrape every target, each once', async (t) => {
  const directory = await temporaryDirectory(t);
  const shards = statefulSet.replicas!;
  t.equal(statefulSet.template.spec.initContainers![0]!.env![1]!.value, String(shards), 'SHARDS is replicas');
  const groups = discovered(200);
  const addresses: string[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const file = render(directory, `exemplard-${shard}`);
    t.notMatch(readFileSync(file, 'utf8').replace(/^#.*$/gm, ''), '@SHARD', 'all is filled in');
    const loaded = loadConfigFile(file);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
    t.equal(loaded.warnings.length, 1);
    t.match(loaded.warnings, [{ message: /^archive\.password_file: / }], 'which is a secret of the cluster');
    const [job] = loaded.config.scrapeJobs;
    const { targets, refused } = findTargets(job!, groups);
    t.same(refused, []);
    t.ok(targets.length > 400 / shards / 2, `shard ${shard} has ${targets.length} of 400`);
    addresses.push(...targets.map(({ url }) => url));
  }
  t.equal(addresses.length, 400);
  t.equal(new Set(addresses).size, 400);
});

t.test('annotations choose pods, ports and paths', async (t) => {
  const file = render(await temporaryDirectory(t), 'exemplard-0');
  const text = readFileSync(file, 'utf8').replace(/modulus: \d+/, 'modulus: 1');
  writeFileSync(file, text);
  const loaded = loadConfigFile(file);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  const group = (ip: string, annotations: Labels, phase = 'Running') => {
    const raw = pod('shop', ip) as { metadata: object; status: object };
    const changed = {
      ...raw,
      metadata: { ...raw.metadata, annotations },
      status: { ...raw.status, phase },
    };
    const nowhere = { pods: new Map(), services: new Map(), nodes: undefined, namespaces: undefined };
    return podRole(false).build(podKind.read(changed as never, readMeta(changed as never)), nowhere)!;
  };
  const scrape = { 'prometheus.io/scrape': 'true' };
  const urls = (...groups: TargetGroup[]) =>
    findTargets(loaded.config.scrapeJobs[0]!, groups).targets.map(({ url }) => url);
  t.same(urls(group('10.0.0.1', {})), [], 'not asked for');
  t.same(urls(group('10.0.0.1', scrape, 'Succeeded')), [], 'over');
  t.same(urls(group('10.0.0.1', scrape)), ['http://10.0.0.1:8080/metrics']);
  const elsewhere = { ...scrape, 'prometheus.io/port': '99', 'prometheus.io/path': '/m' };
  t.same(urls(group('10.0.0.1', elsewhere)), ['http://10.0.0.1:99/m']);
  t.same(urls(group('fd00::1', elsewhere)), ['http://[fd00::1]:99/m']);
  const jobOf = (annotations: Labels) => {
    const [target] = findTargets(loaded.config.scrapeJobs[0]!, [group('10.0.0.1', annotations)]).targets;
    return labelValue(target!.labels, 'job');
  };
  t.equal(jobOf(scrape), 'shop', 'as a ServiceMonitor calls it');
  t.equal(jobOf({ ...scrape, 'prometheus.io/job': 'default/shop' }), 'default/shop', 'as a PodMonitor does');
});

t.test('rights are those that discovery needs', async (t) => {
  const role = only(central, 'ClusterRole') as unknown as { rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[] }; // biome-ignore format: one statement
  const config = parse(read('central/exemplard.yaml').replaceAll('@SHARDS@', '1')) as {
    scrape_configs: { kubernetes_sd_configs: { role: string }[] }[];
  };
  const roles = config.scrape_configs.flatMap((job) => job.kubernetes_sd_configs.map(({ role }) => role));
  t.same(roles, ['pod']);
  t.same(role.rules, [{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }]);
  const binding = only(central, 'ClusterRoleBinding') as unknown as {
    roleRef: { name: string };
    subjects: { name: string }[];
  };
  t.equal(binding.roleRef.name, only(central, 'ClusterRole').metadata.name);
  t.equal(binding.subjects[0]!.name, only(central, 'ServiceAccount').metadata.name);
  t.equal(statefulSet.template.spec.serviceAccountName, binding.subjects[0]!.name);
});

t.test('the alerts are those of deploy/alerts', async (t) => {
  const rules = parse(readFileSync(join(ROOT, 'deploy/alerts/exemplard.rules.yml'), 'utf8'));
  t.same(only(monitoring, 'PrometheusRule').spec, rules);
});

const hasKubectl = spawnSync('kubectl', ['kustomize', '--help']).status === 0;

t.test('kubectl kustomize', { skip: hasKubectl ? false : 'no kubectl' }, async (t) => {
  for (const [folder, manifests] of [
    ['central', central],
    ['monitoring', monitoring],
  ] as const) {
    // biome-ignore format: one line
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(DIRECTORY, folder)], { encoding: 'utf8' }); // biome-ignore format: one statement
    t.equal(status, 0, stderr);
    const built = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
    const kinds = built.map(({ kind }) => kind).filter((kind) => kind !== 'ConfigMap');
    t.same(kinds.sort(), manifests.map(({ kind }) => kind).sort(), folder);
  }
});
