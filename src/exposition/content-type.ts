/** How a body is to be read. */
export type ExpositionFormat = 'openmetrics' | 'openmetrics2' | 'text' | 'protobuf';

const FORMATS: Readonly<Record<string, ExpositionFormat>> = {
  'application/openmetrics-text': 'openmetrics',
  'application/vnd.google.protobuf': 'protobuf',
  'text/plain': 'text',
};

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const MEDIA_TYPE = new RegExp(
  `^\\s*(${TOKEN}/${TOKEN})\\s*((?:;\\s*${TOKEN}\\s*=\\s*(?:${TOKEN}|"[^"]*")\\s*)*);?\\s*$`,
);

const VERSION_2 = /;\s*version\s*=\s*"?2\./i;

/**
 * Prometheus' table: the media type alone decides, its parameters (charset, escaping) do not, but for the version 2
 * of OpenMetrics, which Prometheus does not read.
 * @param fallback what to assume where the header is missing, malformed or of another type
 * @returns the format, or why the scrape fails
 */
export function expositionFormat(
  contentType: string | undefined,
  fallback: ExpositionFormat | undefined,
): { readonly format: ExpositionFormat } | { readonly error: string } {
  if (contentType === undefined || contentType.trim() === '') {
    if (fallback !== undefined) return { format: fallback };
    return {
      error:
        'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target',
    };
  }
  const [, mediaType, parameters = ''] = MEDIA_TYPE.exec(contentType) ?? [];
  const format = mediaType === undefined ? undefined : FORMATS[mediaType.toLowerCase()];
  if (format === 'openmetrics' && VERSION_2.test(parameters)) return { format: 'openmetrics2' };
  if (format !== undefined) return { format };
  if (fallback !== undefined) return { format: fallback };
  return {
    error: `received unsupported Content-Type ${JSON.stringify(contentType)} and no fallback_scrape_protocol specified for target`,
  };
}
