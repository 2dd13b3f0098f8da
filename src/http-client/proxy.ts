import { decodePercent } from '../util/percent.js';
import { proxyExceptions } from './no-proxy.js';
import type { ProxyOptions } from './options.js';

/** The proxy for requests to `origin`, credentials in its URL; undefined: none. */
export type ProxyChoice = (origin: URL) => URL | undefined;

/** The choice throws where a variable of the environment holds no URL of a proxy: that is the error of a request. */
export function chooseProxy(options: ProxyOptions, environment: NodeJS.ProcessEnv): ProxyChoice {
  if (options.fromEnvironment) return fromEnvironment(environment);
  if (options.url === '') return () => undefined;
  const proxy = new URL(options.url);
  // Without exceptions of the user there are none, not even for loopback addresses, as in Prometheus.
  if (options.noProxy === '') return () => proxy;
  return withExceptions(options.noProxy, () => proxy);
}

function fromEnvironment(environment: NodeJS.ProcessEnv): ProxyChoice {
  const variable = (name: string) => environment[name] || environment[name.toLowerCase()] || '';
  return withExceptions(variable('NO_PROXY'), ({ protocol }) => {
    const name = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
    return parseProxy(variable(name), name);
  });
}

function withExceptions(noProxy: string, choose: ProxyChoice): ProxyChoice {
  const isException = proxyExceptions(noProxy);
  return (origin) => {
    const host = origin.hostname.replace(/^\[|\]$/g, '').toLowerCase();
    return isException(host, portOf(origin)) ? undefined : choose(origin);
  };
}

/** `host:port` is enough. */
function parseProxy(text: string, variable: string): URL | undefined {
  if (text === '') return undefined;
  const url = text.includes('://') ? text : `http://${text}`;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return new URL(url);
  throw new Error(`environment variable ${variable} holds no URL of an HTTP proxy`);
}

export function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80');
}

/** `host:port`, as it stands in CONNECT. */
export function authorityOf(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}

/** What a proxy is told of who asks. */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const [user, secret] = [username, password].map(decodePercent);
  return { 'proxy-authorization': `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` };
}
