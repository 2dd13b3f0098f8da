/** The keys of `upstream`, and from what was read by them its options. */
import type { UpstreamOptions } from '../upstream/options.js';
import { httpClientKeys } from './http-client-keys.js';
import { type FileContext, resolveHttpClient } from './http-client-schema.js';
import { prometheusOnly, required, type Section, withDefault } from './table.js';
import { splitUrl } from './url-credentials.js';
import { boolean, httpUrl } from './value-type.js';

/** Of a server that requests are passed on to, redirects are the client's business. */
const { follow_redirects: _, ...CLIENT_KEYS } = httpClientKeys(false);

export const UPSTREAM_KEYS = {
  url: required(
    httpUrl,
    'A Prometheus, Mimir, Thanos or VictoriaMetrics. Requests for paths that are not exemplard’s own go there as they are; a path in the URL comes before theirs.',
  ),
  merge_exemplars: withDefault(
    boolean,
    false,
    'Whether `query_exemplars` also answers what the upstream has, each exemplar once.',
  ),
  add_external_labels: withDefault(
    boolean,
    false,
    'Whether `query_exemplars` takes and shows series with `global.external_labels`, as a remote storage behind has them.',
  ),
  ...CLIENT_KEYS,
  follow_redirects: prometheusOnly('answers are passed on as they are, redirects too', 'false'),
};

export function resolveUpstream(
  section: Section<typeof UPSTREAM_KEYS> | undefined,
  context: FileContext,
): UpstreamOptions | undefined {
  if (section?.values.url === undefined) return undefined;
  const { values } = section;
  const { url, auth } = splitUrl(values.url);
  const { search, hash } = new URL(url);
  if (search !== '' || hash !== '')
    context.report.error(section.at('url'), `${section.path}.url must end with its path: no ? and no #`);
  const keys = { ...section, values: { ...values, follow_redirects: false } };
  const client = resolveHttpClient(keys, context, auth === undefined ? [] : ['credentials in url']);
  return {
    url,
    mergeExemplars: values.merge_exemplars,
    addExternalLabels: values.add_external_labels,
    client: { ...client, auth: auth ?? client.auth },
  };
}
