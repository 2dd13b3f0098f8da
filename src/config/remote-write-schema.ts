/** `remote_write` as read → the options of each receiver, credentials included. */
import { DEFAULT_REMOTE_WRITE, type QueueOptions, type RemoteWriteOptions } from '../forward/options.js';
import type { Labels } from '../model/labels.js';
import type { NameValidationScheme } from '../scrape/options.js';
import { quote } from './document.js';
import type { FileContext } from './http-client-schema.js';
import type { IssueReport } from './issue.js';
import { resolveRelabelRules } from './relabel-keys.js';
import { QUEUE_KEYS, type REMOTE_WRITE_KEYS } from './remote-write-keys.js';
import { resolveRequests } from './remote-write-requests.js';
import type { Section } from './table.js';

type RemoteWriteSection = Section<typeof REMOTE_WRITE_KEYS>;

export interface RemoteWriteContext extends FileContext {
  readonly externalLabels: Labels;
  readonly nameValidation: NameValidationScheme;
}

export function resolveRemoteWrites(
  sections: readonly RemoteWriteSection[],
  context: RemoteWriteContext,
): RemoteWriteOptions[] {
  const names = chooseNames(sections, context.report);
  return sections.map((section, i) => resolveRemoteWrite(section, names[i]!, context));
}

function resolveRemoteWrite(
  section: RemoteWriteSection,
  name: string,
  context: RemoteWriteContext,
): RemoteWriteOptions {
  const { values } = section;
  if (!values.send_exemplars) {
    context.report.warn(
      section.at('send_exemplars'),
      `${section.path}.send_exemplars is false: nothing is sent, as exemplard sends nothing but exemplars`,
    );
  }
  return {
    name,
    ...resolveRequests(section, context),
    remoteTimeoutMs: values.remote_timeout,
    externalLabels: context.externalLabels,
    writeRelabelRules: resolveRelabelRules(
      values.write_relabel_configs,
      context.nameValidation,
      context.report,
    ),
    sendExemplars: values.send_exemplars,
    exemplarMode: values.exemplar_mode,
    protobufMessage: values.protobuf_message ?? DEFAULT_REMOTE_WRITE.protobufMessage,
    queue: resolveQueue(values.queue_config, context.report),
  };
}

/** The name given, or `host:port`, `host:port-2`, … of the URL. */
function chooseNames(sections: readonly RemoteWriteSection[], report: IssueReport): string[] {
  const taken = new Map<string, RemoteWriteSection>();
  for (const section of sections) {
    const { name } = section.values;
    if (!name) continue;
    const earlier = taken.get(name);
    if (earlier === undefined) taken.set(name, section);
    else
      report.error(
        section.at('name'),
        `${section.path}.name ${quote(name)} is taken by ${earlier.path} in line ${earlier.at('name').line}`,
      );
  }
  return sections.map((section) => {
    if (section.values.name) return section.values.name;
    const host = section.values.url === undefined ? '' : new URL(section.values.url).host;
    let name = host;
    for (let i = 2; taken.has(name); i++) name = `${host}-${i}`;
    taken.set(name, section);
    return name;
  });
}

function resolveQueue(section: Section<typeof QUEUE_KEYS>, report: IssueReport): QueueOptions {
  const { values } = section;
  return {
    capacity: values.capacity,
    minShards: values.min_shards,
    maxShards: atLeast(section, 'max_shards', 'min_shards', report),
    maxSamplesPerSend: values.max_samples_per_send,
    batchSendDeadlineMs: values.batch_send_deadline,
    minBackoffMs: values.min_backoff,
    maxBackoffMs: atLeast(section, 'max_backoff', 'min_backoff', report),
    retryOnHttp429: values.retry_on_http_429,
    sampleAgeLimitMs: values.sample_age_limit,
    replay: values.replay,
  };
}

type QueueNumber = 'min_shards' | 'max_shards' | 'min_backoff' | 'max_backoff';

/** Prometheus takes a minimum above its maximum, so it is no error; what then counts is said. */
function atLeast(
  section: Section<typeof QUEUE_KEYS>,
  maximum: QueueNumber,
  minimum: QueueNumber,
  report: IssueReport,
): number {
  const [most, least] = [section.values[maximum], section.values[minimum]];
  if (most >= least) return most;
  const given = section.given(maximum) ? maximum : minimum;
  const [shownMost, shownLeast] = [maximum, minimum].map((key) =>
    QUEUE_KEYS[key].type.format(section.values[key]),
  );
  report.warn(
    section.at(given),
    `${section.path}.${maximum} ${shownMost} is below ${minimum} ${shownLeast} and counts as ${shownLeast}`,
  );
  return least;
}
