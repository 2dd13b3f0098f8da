/** A name server on loopback that answers what a test wants, message by message (RFC 1035, section 4). */
import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer, type Socket } from 'node:net';

const TYPES = { A: 1, NS: 2, CNAME: 5, SOA: 6, MX: 15, AAAA: 28, SRV: 33 } as const;
type RecordType = keyof typeof TYPES;

export interface DnsRecord {
  /** Of whom; the name asked for, if not given. */
  readonly name?: string;
  readonly type: RecordType;
  readonly data: Buffer;
}

export interface DnsAnswer {
  /** 0 fine, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
  readonly code?: number;
  readonly records?: readonly DnsRecord[];
  /** Over UDP nothing but "ask by TCP". */
  readonly isTruncated?: boolean;
}

export interface DnsQuestion {
  readonly name: string;
  readonly type: string;
  readonly transport: 'udp' | 'tcp';
}

const u16 = (...values: number[]) => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]));

export function domain(name: string): Buffer {
  const parts = name.split('.').filter((part) => part !== '');
  return Buffer.concat([...parts.map((part) => Buffer.from([part.length, ...Buffer.from(part)])), Buffer.alloc(1)]); // biome-ignore format: one line
}

export const a = (address: string): DnsRecord => ({
  type: 'A',
  data: Buffer.from(address.split('.').map(Number)),
});
export const aaaa = (...words: number[]): DnsRecord => ({ type: 'AAAA', data: u16(...words) });
export const ns = (name: string): DnsRecord => ({ type: 'NS', data: domain(name) });
export const cname = (of: string, name: string): DnsRecord => ({ name: of, type: 'CNAME', data: domain(name) }); // biome-ignore format: one line
export const mx = (preference: number, name: string): DnsRecord => ({
  type: 'MX',
  data: Buffer.concat([u16(preference), domain(name)]),
});
export const srv = (port: number, name: string): DnsRecord => ({
  type: 'SRV',
  data: Buffer.concat([u16(1, 1, port), domain(name)]),
});

export class DnsServer {
  readonly asked: DnsQuestion[] = [];
  /** Undefined: no answer at all. */
  answer: (question: DnsQuestion) => DnsAnswer | undefined = () => ({});
  readonly #udp = createSocket('udp4');
  readonly #sockets = new Set<Socket>();
  readonly #tcp = createServer((socket) => this.#serveTcp(socket));
  #port = 0;

  static async listen(): Promise<DnsServer> {
    const server = new DnsServer();
    await new Promise<void>((resolve) => server.#tcp.listen(0, '127.0.0.1', resolve));
    server.#port = (server.#tcp.address() as AddressInfo).port;
    await new Promise<void>((resolve) => server.#udp.bind(server.#port, '127.0.0.1', resolve));
    server.#udp.on('message', (message, { port, address }) => {
      const reply = server.#reply(message, 'udp');
      if (reply !== undefined) server.#udp.send(reply, port, address);
    });
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([
      new Promise<void>((resolve) => this.#udp.close(() => resolve())),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
    ]);
  }

  #serveTcp(socket: Socket): void {
    this.#sockets.add(socket);
    let bytes = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE()) {
        const end = 2 + bytes.readUInt16BE();
        const reply = this.#reply(bytes.subarray(2, end), 'tcp');
        bytes = bytes.subarray(end);
        if (reply !== undefined) socket.write(Buffer.concat([u16(reply.length), reply]));
      }
    });
  }

  #reply(message: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined {
    const labels: string[] = [];
    let at = 12;
    for (let length = message[at]!; length > 0; length = message[at]!) {
      labels.push(message.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const typeCode = message.readUInt16BE(at + 1);
    const type = Object.entries(TYPES).find(([, code]) => code === typeCode)?.[0] ?? String(typeCode);
    const question: DnsQuestion = { name: labels.join('.').toLowerCase(), type, transport };
    this.asked.push(question);
    const answer = this.answer(question);
    if (answer === undefined) return undefined;
    const isTruncated = answer.isTruncated === true && transport === 'udp';
    const records = isTruncated ? [] : (answer.records ?? []);
    const flags = 0x8180 | (isTruncated ? 0x0200 : 0) | (answer.code ?? 0);
    return Buffer.concat([
      message.subarray(0, 2),
      u16(flags, 1, records.length, 0, 0),
      message.subarray(12, at + 5),
      ...records.map(({ name, type, data }) =>
        Buffer.concat([name === undefined ? u16(0xc00c) : domain(name), u16(TYPES[type], 1, 0, 60, data.length), data]),
      ), // biome-ignore format: one record
    ]);
  }
}
