/** The reference of the configuration file, printed from the tables that read it. */

import { ARCHIVE_KEYS } from './archive-keys.js';
import { DISCOVERY_SECTIONS } from './discovery-keys.js';
import {
  AUTHORIZATION_KEYS,
  BASIC_AUTH_KEYS,
  HTTP_HEADER_KEYS,
  OAUTH2_KEYS,
  TLS_KEYS,
} from './http-client-keys.js';
import { JOURNAL_KEYS } from './journal-keys.js';
import { RELABEL_KEYS } from './relabel-keys.js';
import { QUEUE_KEYS, REMOTE_WRITE_KEYS } from './remote-write-keys.js';
import { BUDGET_KEYS, POLICY_KEYS, SAMPLING_KEYS, TRACES_KEYS, WEBHOOK_KEYS } from './sampling-keys.js';
import { ROOT_KEYS } from './schema.js';
import { GLOBAL_KEYS, SCRAPE_KEYS } from './scrape-keys.js';
import { EXEMPLARS_KEYS, STORAGE_KEYS } from './storage-keys.js';
import { type AppliedKey, REASONS, type Table, type UnappliedKey } from './table.js';
import { UPSTREAM_KEYS } from './upstream-keys.js';
import { TRACE_LINK_KEYS, WEB_KEYS } from './web-keys.js';

/** Every section by its path. */
export const SECTIONS: readonly (readonly [path: string, table: Table])[] = [
  ['', ROOT_KEYS],
  ['global', GLOBAL_KEYS],
  ['scrape_configs[]', SCRAPE_KEYS],
  ...DISCOVERY_SECTIONS.map(([path, table]) => [`scrape_configs[].${path}`, table] as const),
  ['scrape_configs[].relabel_configs[]', RELABEL_KEYS],
  ['remote_write[]', REMOTE_WRITE_KEYS],
  ['remote_write[].basic_auth', BASIC_AUTH_KEYS],
  ['remote_write[].authorization', AUTHORIZATION_KEYS],
  ['remote_write[].oauth2', OAUTH2_KEYS],
  ['remote_write[].tls_config', TLS_KEYS],
  ['remote_write[].http_headers.<name>', HTTP_HEADER_KEYS],
  ['remote_write[].write_relabel_configs[]', RELABEL_KEYS],
  ['remote_write[].queue_config', QUEUE_KEYS],
  ['storage', STORAGE_KEYS],
  ['storage.exemplars', EXEMPLARS_KEYS],
  ['journal', JOURNAL_KEYS],
  ['archive', ARCHIVE_KEYS],
  ['sampling[]', SAMPLING_KEYS],
  ['sampling[].policies[]', POLICY_KEYS],
  ['sampling[].budget', BUDGET_KEYS],
  ['sampling[].traces', TRACES_KEYS],
  ['sampling[].webhook', WEBHOOK_KEYS],
  ['upstream', UPSTREAM_KEYS],
  ['web', WEB_KEYS],
  ['web.trace_links[]', TRACE_LINK_KEYS],
];

const INTRODUCTION = `# Configuration

<!-- Generated from src/config by \`npm run docs\`. -->

The file is a Prometheus configuration file: a \`prometheus.yml\` starts exemplard as it is. Keys that are not applied are
accepted with a warning that says what that means; an unknown key is an error. \`exemplard check config FILE\` prints all of them,
each with its line and column. With \`exemplard --scrape=URL\` no file is needed.

- duration: \`500ms\`, \`30s\`, \`1h30m\`; units \`ms s m h d w y\`.
- size: \`512KiB\`, \`10MB\`, \`4096\`; all units are powers of 1024.
- secret: shown as \`<secret>\` wherever the configuration is shown.
- Files that the configuration names are relative to its own directory.
`;

/** The whole of docs/configuration.md. */
export function configReference(): string {
  return [INTRODUCTION, ...SECTIONS.map(([path, table]) => sectionReference(path, table))].join('\n');
}

function sectionReference(path: string, table: Table): string {
  const applied: string[] = [];
  const unapplied = new Map<string, string[]>();
  for (const [name, key] of Object.entries(table)) {
    if (key.kind === 'applied') applied.push(appliedRow(name, key));
    else addTo(unapplied, `${REASONS[key.reason]} | ${key.consequence}`, unappliedKey(name, key));
  }
  const tables = [
    markdownTable(['key', 'type', 'default', 'meaning'], applied),
    markdownTable(
      ['accepted with a warning', 'because', 'so'],
      [...unapplied].map(([meaning, keys]) => `| ${keys.join(', ')} | ${meaning} |\n`),
    ),
  ];
  return [`## ${path === '' ? 'Top level' : `\`${path}\``}\n`, ...tables.filter((each) => each !== '')].join(
    '\n',
  );
}

function addTo(groups: Map<string, string[]>, group: string, item: string): void {
  const items = groups.get(group);
  if (items === undefined) groups.set(group, [item]);
  else items.push(item);
}

function appliedRow(name: string, key: AppliedKey<unknown, unknown>): string {
  return row([`\`${name}\``, key.type.name, defaultOf(key), key.doc]);
}

function defaultOf({ type, whenAbsent }: AppliedKey<unknown, unknown>): string {
  switch (whenAbsent.kind) {
    case 'required':
      return 'required';
    case 'unset':
      return whenAbsent.doc;
    case 'default':
      return `\`${type.format(whenAbsent.value)}\``;
    case 'section':
      return 'its own defaults';
  }
}

function unappliedKey(name: string, { unless }: UnappliedKey): string {
  return `\`${name}\`${unless === undefined ? '' : ` (other than \`${unless}\`)`}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}

function markdownTable(headings: readonly string[], rows: readonly string[]): string {
  if (rows.length === 0) return '';
  return row(headings) + row(headings.map(() => '---')) + rows.join('');
}
