import { type Logger, pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'logfmt' | 'json';

/** Where lines of log go; stderr, outside of tests. */
export interface LineSink {
  write(line: string): void;
}

export function createLogger(level: LogLevel, format: LogFormat, sink: LineSink = process.stderr): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, format === 'json' ? sink : { write: (line: string) => sink.write(toLogfmt(line)) });
}

/** `time=… level=info msg="…" key=value`, as Prometheus writes its log. */
function toLogfmt(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries({ time, level, msg, ...fields });
  return `${pairs.map(([key, value]) => `${key}=${logfmtValue(value)}`).join(' ')}\n`;
}

function logfmtValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s"=\\\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text);
}
