import { BlockList, isIP } from 'node:net';

/** Whether an address is reached without the proxy. */
type Exception = (host: string, port: string) => boolean;

/**
 * What `NO_PROXY` says, by Go's rules (golang.org/x/net/http/httpproxy): parts between commas, each a host (and
 * with it all below it), `.domain` or `*.domain` (only what is below it), an address, a CIDR block, or `*`;
 * hosts and addresses may have a port. `localhost` and loopback addresses are always reached directly.
 * @returns for a host, in lower case and without brackets, and its port: whether to go around the proxy
 */
export function proxyExceptions(noProxy: string): Exception {
  const parts = noProxy.split(',').map((part) => part.trim().toLowerCase());
  if (parts.includes('*')) return () => true;
  const exceptions = [isLoopback, ...parts.flatMap((part) => exceptionOf(part) ?? [])];
  return (host, port) => exceptions.some((matches) => matches(host, port));
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  return host === 'localhost' || contains(LOOPBACK, host);
}

function exceptionOf(part: string): Exception | undefined {
  const block = cidrBlock(part);
  if (block !== undefined) return (host) => contains(block, host);
  const [name, port] = splitPort(part);
  if (name === '') return undefined;
  const fits = hostException(name);
  return (host, hostPort) => fits(host) && (port === '' || port === hostPort);
}

function hostException(name: string): (host: string) => boolean {
  if (isIP(name) !== 0) {
    const address = new BlockList();
    address.addAddress(name, familyOf(name));
    return (host) => contains(address, host);
  }
  const domain = name.startsWith('*.') ? name.slice(1) : name;
  if (domain.startsWith('.')) return (host) => isIP(host) === 0 && host.endsWith(domain);
  return (host) => isIP(host) === 0 && (host === domain || host.endsWith(`.${domain}`));
}

function cidrBlock(part: string): BlockList | undefined {
  const [address, prefix, more] = part.split('/');
  if (address === undefined || prefix === undefined || more !== undefined) return undefined;
  if (isIP(address) === 0 || !/^\d{1,3}$/.test(prefix)) return undefined;
  if (Number(prefix) > (isIP(address) === 4 ? 32 : 128)) return undefined;
  const block = new BlockList();
  block.addSubnet(address, Number(prefix), familyOf(address));
  return block;
}

/** `host:port`, `[v6]:port`, or neither with a port; an address of version 6 needs its brackets only with one. */
function splitPort(part: string): readonly [host: string, port: string] {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(part);
  if (bracketed !== null) return [bracketed[1]!, bracketed[2] ?? ''];
  const [, host, port] = /^([^:]*):(\d*)$/.exec(part) ?? [];
  return host === undefined ? [part, ''] : [host, port ?? ''];
}

function contains(block: BlockList, host: string): boolean {
  return isIP(host) !== 0 && block.check(host, familyOf(host));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
