/** Keys of how a ClickHouse server is reached, wherever they stand in the file. */
import type { ServerOptions } from '../clickhouse/options.js';
import type { Secret } from '../http-client/options.js';
import { TLS_KEYS } from './http-client-keys.js';
import { type FileContext, resolveTls, secretOf } from './http-client-schema.js';
import type { Position } from './issue.js';
import { optional, type Section, section, withDefault } from './table.js';
import { splitUrl } from './url-credentials.js';
import { httpUrl, type Located, located, oneOrList, scalar, secret, text } from './value-type.js';

const DEFAULT_USER = 'default';
const DEFAULT_DATABASE = 'default';

/** They stand in statements. A macro of the server, such as `{cluster}`, is a name, too. */
const databaseName = scalar({
  name: 'text',
  expectation: 'a name of letters, digits and underscores',
  parse: (value) => (/^[A-Za-z_]\w*$/.test(value) ? value : undefined),
});
const clusterName = scalar({
  name: 'text',
  expectation: 'a name of letters, digits, underscores, dots and hyphens, or a macro in braces',
  parse: (value) => (/^(?:[\w.-]+|\{[\w.-]+\})$/.test(value) ? value : undefined),
});

/** @param when a sentence in front of what each is for; may be empty */
export function serverKeys(when: string) {
  const doc = (meaning: string) => `${when} ${meaning}`.trim();
  return {
    url: withDefault(
      oneOrList(located(httpUrl)),
      [],
      doc('A URL, or a list of them, of servers that are one: where one does not answer, the next is asked. Required there.'), // biome-ignore format: one line
    ),
    user: withDefault(text, DEFAULT_USER, doc('User name.')),
    password: optional(secret, doc('Password.')),
    password_file: optional(text, doc('File with the password. Read again when it changes.')),
    tls_config: optional(section(TLS_KEYS), doc('How TLS is spoken.'), 'its own defaults'),
    database: withDefault(databaseName, DEFAULT_DATABASE, doc('It must be there.')),
    cluster: optional(
      clusterName,
      doc('The cluster on which tables are replicated and distributed.'),
      'tables of one server',
    ),
  };
}

export const SERVER_KEY_NAMES = ['url', 'user', 'password', 'password_file', 'tls_config', 'database', 'cluster'] as const; // biome-ignore format: one list
type ServerKey = (typeof SERVER_KEY_NAMES)[number];

/** Whatever section has these keys among others. */
export interface ServerSection {
  readonly path: string;
  readonly values: Pick<Section<ReturnType<typeof serverKeys>>['values'], ServerKey>;
  at(key: ServerKey): Position;
  given(key: ServerKey): boolean;
}

export function resolveServer(section: ServerSection, context: FileContext): ServerOptions {
  const { values } = section;
  return {
    urls: values.url.map(({ value }) => splitUrl(value).url),
    ...resolveCredentials(section, context),
    tls: resolveTls(values.tls_config, context),
    database: values.database,
    cluster: values.cluster,
  };
}

const CREDENTIAL_KEYS = ['user', 'password', 'password_file'] as const;

/** They may also stand in the URLs: in one of them, or in all the same. */
function resolveCredentials(
  section: ServerSection,
  context: FileContext,
): { user: string; password: Secret } {
  const { report } = context;
  const inUrls = section.values.url.flatMap((url) => {
    const credentials = credentialsOf(url);
    return credentials === undefined ? [] : [credentials];
  });
  const first = inUrls[0];
  if (first === undefined)
    return { user: section.values.user, password: secretOf(section, 'password', context) };
  for (const { at, user, password } of inUrls)
    if (user !== first.user || password !== first.password)
      report.error(at, `${section.path}.url: user and password must be the same in each URL`);
  const given = CREDENTIAL_KEYS.find((key) => section.given(key));
  if (given !== undefined)
    report.error(
      section.at(given),
      `${section.path}: user and password are in url already; ${given} cannot be given, too`,
    );
  return { user: first.user, password: { text: first.password } };
}

function credentialsOf({ value, at }: Located<string>) {
  const { auth } = splitUrl(value);
  if (auth?.type !== 'basic' || !('text' in auth.username) || !('text' in auth.password)) return undefined;
  return { at, user: auth.username.text || DEFAULT_USER, password: auth.password.text };
}
