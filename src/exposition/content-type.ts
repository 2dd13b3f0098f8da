/** How a body is to be read. */
export type ExpositionFormat = 'openmetrics' | 'text' | 'protobuf';

const FORMATS: Readonly<Record<string, ExpositionFormat>> = {
  'application/openmetrics-text': 'openmetrics',
  'application/vnd.google.protobuf': 'protobuf',
  'text/plain': 'text',
};

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const MEDIA_TYPE = new RegExp(
  `^\\s*(${TOKEN}/${TOKEN})\\s*((?:;\\s*${TOKEN}\\s*=\\s*(?:${TOKEN}|"[^"]*")\\s*)*);?\\s*$`,
);

/**
 * Prometheus' table: the media type alone decides, its parameters (version, charset, escaping) do not.
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
  const mediaType = MEDIA_TYPE.exec(contentType)?.[1]?.toLowerCase();
  const format = mediaType === undefined ? undefined : FORMATS[mediaType];
  if (format !== undefined) return { format };
  if (fallback !== undefined) return { format: fallback };
  return {
    error: `received unsupported Content-Type ${JSON.stringify(contentType)} and no fallback_scrape_protocol specified for target`,
  };
}
