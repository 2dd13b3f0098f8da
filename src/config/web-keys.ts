/** The keys of `web`: what the page shows beyond what exemplard knows by itself. */
import type { TraceLink } from '../model/trace-link.js';
import { required, type Section, section, withDefault } from './table.js';
import { list, nonEmptyText, redactUrl, scalar } from './value-type.js';

// biome-ignore lint/suspicious/noTemplateCurlyInString: users write it so
const PLACEHOLDER = '${value}';

/** Nothing else may be opened by a click, whatever the value is that it is made with. */
const linkUrl = scalar({
  name: 'URL',
  expectation: `a URL that starts with http:// or https:// and a host, with ${PLACEHOLDER} behind them`,
  parse(text) {
    const host = /^https?:\/\/([^/?#\\]+)[/?#]/i.exec(text)?.[1];
    const isUrl = URL.canParse(text.replaceAll(PLACEHOLDER, 'x'));
    const isFit = host !== undefined && !host.includes(PLACEHOLDER) && text.includes(PLACEHOLDER);
    return isFit && isUrl ? text : undefined;
  },
  redact: redactUrl,
});

export const TRACE_LINK_KEYS = {
  label: required(nonEmptyText, 'Label of exemplars whose value is the id.'),
  name: required(nonEmptyText, 'What the link says, such as `Tempo`.'),
  url: required(linkUrl, `Where it leads. \`${PLACEHOLDER}\` stands for the id.`),
};

export const WEB_KEYS = {
  trace_links: withDefault(
    list(section(TRACE_LINK_KEYS)),
    [],
    'Links from exemplars to where their traces are shown.',
  ),
};

export function resolveTraceLinks({ values }: Section<typeof WEB_KEYS>): readonly TraceLink[] {
  return values.trace_links.flatMap(({ values: { label, name, url } }) =>
    label === undefined || name === undefined || url === undefined ? [] : [{ label, name, url }],
  );
}
