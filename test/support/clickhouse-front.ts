/**
 * ClickHouse's HTTP interface before chDB, so that the official client talks to a real engine; and in between, on demand,
 * what goes wrong between the two.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { Session } from 'chdb';

/** Happens to the next statement (not to pings); `matches`: to the next one whose SQL does. */
export type Fault = { readonly matches?: RegExp } & (
  | { readonly type: 'status'; readonly status: number; readonly body: string; readonly code?: number }
  /** No answer, ever. */
  | { readonly type: 'stall' }
  /** The connection breaks before the statement has run, or after. */
  | { readonly type: 'reset'; readonly when: 'before' | 'after' }
  /** So many bytes of the answer, then the connection breaks; or the answer ends as if that was all. */
  | { readonly type: 'cut'; readonly bytes: number; readonly politely?: boolean }
  /** An error after so many bytes of the answer: as servers since 25.11 tell it, or as older ones do. */
  | { readonly type: 'error'; readonly bytes: number; readonly text: string; readonly isOld?: boolean }
);

export interface Statement {
  readonly sql: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  readonly rows: Buffer;
  readonly user: string;
}

/** Settings of the interface, not of the engine. */
const OF_HTTP = new Set(['query', 'database', 'query_id', 'session_id', 'role', 'default_format', 'wait_end_of_query', 'enable_http_compression', 'cancel_http_readonly_queries_on_client_close', 'send_progress_in_http_headers']); // biome-ignore format: one list
const READS = /^\s*(SELECT|WITH)\b/i;

export interface FrontOptions {
  readonly directory: string;
  readonly tls?: ServerOptions;
}

export class ClickHouseFront {
  readonly faults: Fault[] = [];
  /** All that came, in order. */
  readonly statements: Statement[] = [];
  user = 'default';
  password = '';
  readonly #directory: string;
  readonly #server: Server;
  readonly #scheme: string;
  readonly #sockets = new Set<Socket>();
  readonly #idle: Session[] = [];
  #sessions = 0;
  readonly #names = new Map<Session, string>();

  private constructor({ directory, tls }: FrontOptions) {
    this.#directory = directory;
    this.#scheme = tls === undefined ? 'http' : 'https';
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      void this.#answer(request, response);
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    });
  }

  static async start(options: FrontOptions): Promise<ClickHouseFront> {
    const front = new ClickHouseFront(options);
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
    return front;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#scheme}://localhost:${this.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    for (const session of this.#idle) session.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.url?.startsWith('/ping')) return void response.end('Ok.\n');
      const statement = await read(request);
      if (!this.#isAllowed(request)) {
        const text = `Code: 516. DB::Exception: ${statement.user}: Authentication failed. (AUTHENTICATION_FAILED)`;
        return fail(response, text, 403);
      }
      this.statements.push(statement);
      const at = this.faults.findIndex(({ matches }) => matches?.test(statement.sql) ?? true);
      const fault = at < 0 ? undefined : this.faults.splice(at, 1)[0];
      if (fault?.type === 'stall') return;
      if (fault?.type === 'reset' && fault.when === 'before') return void request.socket.destroy();
      if (fault?.type === 'status') {
        if (fault.code !== undefined) response.setHeader('X-ClickHouse-Exception-Code', fault.code);
        return void response.writeHead(fault.status).end(fault.body);
      }
      await this.#run(statement, response, fault);
    } catch (error) {
      fail(response, (error as Error).message);
    }
  }

  #isAllowed({ headers }: IncomingMessage): boolean {
    const expected = Buffer.from(`${this.user}:${this.password}`).toString('base64');
    return headers.authorization === `Basic ${expected}`;
  }

  async #run(statement: Statement, response: ServerResponse, fault: Fault | undefined): Promise<void> {
    const session = this.#idle.pop() ?? (await this.#open());
    let killed = Promise.resolve();
    const stop = () => {
      if (!response.writableFinished) killed = this.#kill(session);
    };
    response.once('close', stop);
    const names = Object.keys(statement.settings);
    try {
      const set = names.map((name) => `${name} = '${statement.settings[name]}'`);
      for (const [name, text] of Object.entries(statement.params))
        set.push(`param_${name} = ${literal(text)}`);
      if (set.length > 0) await session.queryAsync(`SET ${set.join(', ')}`);
      if (READS.test(statement.sql)) await this.#select(statement.sql, session, response, fault);
      else {
        const answer = await this.#execute(statement, session);
        if (fault?.type === 'reset') response.socket?.destroy();
        else response.end(answer);
      }
    } finally {
      response.off('close', stop);
      await killed;
      if (names.length > 0)
        await session.queryAsync(`SET ${names.map((name) => `${name} = DEFAULT`).join(', ')}`);
      this.#idle.push(session);
    }
  }

  async #open(): Promise<Session> {
    const session = new Session(this.#directory, { connectionArgs: ['--max_query_size=67108864'] });
    this.#names.set(session, `front ${++this.#sessions}`);
    await session.queryAsync(`SET log_comment = '${this.#names.get(session)}'`);
    return session;
  }

  /** As servers do when whoever asked has gone. */
  async #kill(session: Session): Promise<void> {
    const other = new Session(this.#directory);
    await other.queryAsync(`KILL QUERY WHERE Settings['log_comment'] = '${this.#names.get(session)}' ASYNC`);
    other.close();
  }

  /** @returns the answer */
  async #execute({ sql, rows }: Statement, session: Session): Promise<Uint8Array> {
    const insert = /^\s*INSERT INTO (\S+) FORMAT (\w+)\s*$/i.exec(sql);
    if (insert === null) {
      const { bare, format } = splitFormat(sql);
      return (await session.queryAsync(bare, { format })).bytes();
    }
    if (insert[2] !== 'JSONEachRow')
      throw new Error(`Code: 117. DB::Exception: no ${insert[2]} (INCORRECT_DATA)`);
    await session.insert({ table: insert[1]!, values: rows, format: 'JSONEachRow' });
    return Buffer.alloc(0);
  }

  async #select(
    sql: string,
    session: Session,
    response: ServerResponse,
    fault: Fault | undefined,
  ): Promise<void> {
    const { bare, format } = splitFormat(sql);
    const stream = session.queryStream(bare, { format });
    const tag = 'abcdefghijklmnop';
    let sent = 0;
    try {
      for await (const chunk of stream) {
        let bytes = Buffer.from(chunk.raw());
        if (!response.headersSent) response.setHeader('X-ClickHouse-Exception-Tag', tag);
        if ((fault?.type === 'cut' || fault?.type === 'error') && sent + bytes.length >= fault.bytes) {
          bytes = bytes.subarray(0, fault.bytes - sent);
          await write(response, bytes);
          if (fault.type === 'error') return endWithError(response, fault, tag);
          return void (fault.politely ? response.end() : response.socket?.destroy());
        }
        sent += bytes.length;
        await write(response, bytes);
        // Whoever stops reading stops the statement.
        if (response.destroyed) return;
      }
      response.end();
    } catch (error) {
      if (!response.headersSent) throw error;
      endWithError(response, { text: (error as Error).message }, tag);
    }
  }
}

function splitFormat(sql: string): { bare: string; format: 'JSONEachRow' } {
  const format = /\sFORMAT\s+(\w+)\s*$/i.exec(sql);
  const bare = format === null ? sql : sql.slice(0, format.index);
  return { bare, format: (format?.[1] ?? 'TabSeparated') as 'JSONEachRow' };
}

function endWithError(
  response: ServerResponse,
  { text, isOld }: { text: string; isOld?: boolean },
  tag: string,
): void {
  const mark = '__exception__\r\n';
  response.end(isOld ? `${text}\n` : `\r\n${mark}${tag}\r\n${text}\n${text.length + 1} ${tag}\r\n${mark}`);
}

function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve();
    response.once('close', resolve);
    response.write(bytes, () => {
      response.off('close', resolve);
      resolve();
    });
  });
}

const STATUSES: Readonly<Record<string, number>> = { 60: 404, 62: 400, 27: 400, 202: 503 };

function fail(response: ServerResponse, text: string, status?: number): void {
  if (response.writableEnded) return;
  if (response.headersSent || response.destroyed) return void response.socket?.destroy();
  const code = /Code: (\d+)/.exec(text)?.[1] ?? '1002';
  response.setHeader('X-ClickHouse-Exception-Code', code);
  response.writeHead(status ?? STATUSES[code] ?? 500).end(`${text}\n`);
}

async function read(request: IncomingMessage): Promise<Statement> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
  const { searchParams } = new URL(request.url!, 'http://localhost');
  const fields = [...searchParams, ...formFields(body, request.headers['content-type'] ?? '')];
  const params = fields
    .filter(([name]) => name.startsWith('param_'))
    .map(([name, text]) => [name.slice(6), text]);
  const settings = fields.filter(([name]) => !OF_HTTP.has(name) && !name.startsWith('param_'));
  const user = Buffer.from(request.headers.authorization?.split(' ')[1] ?? '', 'base64')
    .toString()
    .split(':')[0]!;
  const sql = searchParams.get('query');
  return {
    sql: sql ?? body.toString('utf8'),
    rows: sql === null ? Buffer.alloc(0) : body,
    settings: Object.fromEntries(settings),
    params: Object.fromEntries(params),
    user,
  };
}

function formFields(body: Buffer, contentType: string): [string, string][] {
  const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(contentType)?.[1];
  if (boundary === undefined) return [];
  const parts = body.toString('utf8').split(`--${boundary}`);
  return parts.flatMap((part) => {
    const field = /^\r\nContent-Disposition: form-data; name="([^"]+)"\r\n\r\n(.*)\r\n$/s.exec(part);
    return field === null ? [] : [[field[1]!, field[2]!] as [string, string]];
  });
}

/** A parameter's text, which is escaped for its own reader already, as a literal of SQL. */
function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
