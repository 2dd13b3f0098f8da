import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { TargetGroup } from '../model/target-group.js';
import { compilePattern } from '../util/file-pattern.js';
import { TimeSlices } from '../util/time-slices.js';
import { readBoundedFile } from './bounded-file.js';
import { DirectoryWatch } from './directory-watch.js';
import { MAX_LIST_BYTES, parseGroupList } from './group-list.js';
import type { Discovery, DiscoveryParts, OnGroups } from './mechanism.js';
import type { DiscoveryMeter } from './metrics.js';
import type { FileDiscoveryOptions } from './options.js';
import { RefreshLoop } from './refresh-loop.js';
import { messageOf, TroubleLog } from './trouble-log.js';

/** Editors and configuration tools do several things to a file in a row: it is read once nothing happened for so long, */
const QUIET_MS = 100;
/** or has not stopped for so long. */
const MAX_UNREST_MS = 1_000;

/** A file that was there when the directories were read last. */
interface ListFile {
  readonly trouble: TroubleLog;
  /** Of the bytes that were read last, good or bad. */
  digest: string;
  /** Why these are no list. */
  error: string | undefined;
  /** The list that was right last. */
  groups: readonly TargetGroup[];
}

/**
 * Lists of groups in files. Directories are watched and not files, so that files that are replaced, and links that
 * are turned elsewhere (as Kubernetes does with mounted ConfigMaps), are noticed, too; what is not noticed is found
 * at the interval. A file that cannot be read, or half of one, leaves the groups that it gave last.
 */
export class FileDiscovery implements Discovery {
  readonly #parts: DiscoveryParts;
  readonly #patterns: readonly { readonly directory: string; readonly name: string }[];
  readonly #meter: DiscoveryMeter;
  readonly #watch: DirectoryWatch;
  readonly #watchTrouble: TroubleLog;
  readonly #loop: RefreshLoop;
  #onGroups: OnGroups = () => {};
  #files = new Map<string, ListFile>();
  #isFirst = true;
  #reading: Promise<void> = Promise.resolve();
  #cancelReading: (() => void) | undefined;
  #unrestSinceMs: number | undefined;
  #isStopped = false;

  constructor(options: FileDiscoveryOptions, parts: DiscoveryParts) {
    const { jobName: job, clock, metrics, log } = parts;
    this.#parts = parts;
    this.#patterns = options.files.map((path) => ({ directory: dirname(path), name: basename(path) }));
    this.#meter = metrics.meter(job, 'file');
    this.#watchTrouble = new TroubleLog(log, { job, mechanism: 'file', files: options.files });
    this.#watch = new DirectoryWatch(
      () => this.#readSoon(),
      (error) => this.#watchTrouble.failed(`not watched, only read at the interval: ${messageOf(error)}`),
    );
    this.#loop = new RefreshLoop(clock, options.refreshIntervalMs, () => this.#read());
  }

  start(onGroups: OnGroups): void {
    this.#onGroups = onGroups;
    this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelReading?.();
    this.#watch.close();
    await this.#loop.stop();
    await this.#reading;
    this.#meter.close();
  }

  /** Something happened in a directory. */
  #readSoon(): void {
    if (this.#isStopped) return;
    const { clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.#unrestSinceMs ??= nowMs;
    this.#cancelReading?.();
    const delayMs = Math.min(QUIET_MS, this.#unrestSinceMs + MAX_UNREST_MS - nowMs);
    this.#cancelReading = clock.after(Math.max(0, delayMs), () => {
      this.#cancelReading = this.#unrestSinceMs = undefined;
      void this.#read();
    });
  }

  /** One reading after the other. Never rejects. */
  #read(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#readAll());
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    if (this.#isStopped) return;
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    // Watched before it is read: what happens in between is an event.
    await this.#watch.follow(this.#patterns.map(({ directory }) => directory));
    const files = new Map<string, ListFile>();
    let hasChanged = false;
    for (const path of await this.#paths()) {
      if (this.#isStopped) return;
      const known = this.#files.get(path) ?? this.#newFile(path);
      const outcome = await this.#readFile(path, known);
      if (outcome !== 'missing') files.set(path, known);
      hasChanged ||= outcome === 'changed';
    }
    hasChanged ||= [...this.#files.keys()].some((path) => !files.has(path));
    this.#files = files;
    this.#meter.refreshed((clock.monotonicMs() - startMs) / 1000);
    if (this.#isStopped || (!hasChanged && !this.#isFirst)) return;
    this.#isFirst = false;
    const groups = [...files.values()].flatMap((file) => file.groups);
    this.#meter.found(groups);
    this.#onGroups(groups);
  }

  #newFile(path: string): ListFile {
    const { log, jobName: job } = this.#parts;
    const trouble = new TroubleLog(log, { job, mechanism: 'file', file: path });
    return { trouble, digest: '', error: undefined, groups: [] };
  }

  async #readFile(path: string, file: ListFile): Promise<'missing' | 'same' | 'changed'> {
    try {
      const bytes = await readBoundedFile(path, MAX_LIST_BYTES);
      if (bytes === undefined) return 'missing';
      const digest = createHash('sha1').update(bytes).digest('base64');
      if (digest === file.digest) {
        if (file.error !== undefined) throw new Error(file.error);
        file.trouble.succeeded();
        return 'same';
      }
      file.digest = digest;
      file.error = undefined;
      file.groups = await this.#parse(path, bytes, file);
      file.trouble.succeeded();
      return 'changed';
    } catch (error) {
      this.#meter.failed();
      file.trouble.failed(messageOf(error));
      return 'same';
    }
  }

  async #parse(path: string, bytes: Buffer, file: ListFile): Promise<TargetGroup[]> {
    const format = extname(path).toLowerCase() === '.json' ? 'json' : 'yaml';
    const origin = { source: path, labels: { __meta_filepath: path } };
    try {
      return await parseGroupList(bytes, format, origin, new TimeSlices(this.#parts.clock));
    } catch (error) {
      file.error = messageOf(error);
      throw error;
    }
  }

  /** Of the files that match, each once. */
  async #paths(): Promise<Set<string>> {
    const paths = new Set<string>();
    for (const { directory, name } of this.#patterns) {
      const pattern = compilePattern(name);
      if (pattern === undefined) paths.add(join(directory, name));
      else for (const entry of await this.#entries(directory)) if (pattern.test(entry)) paths.add(join(directory, entry)); // biome-ignore format: one line
    }
    return paths;
  }

  /** Sorted, so that groups stay in their order. */
  async #entries(directory: string): Promise<string[]> {
    try {
      return (await readdir(directory)).sort();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return [];
      this.#meter.failed();
      this.#watchTrouble.failed(messageOf(error));
      // What cannot be seen now is not gone.
      return [...this.#files.keys()]
        .filter((path) => dirname(path) === directory)
        .map((path) => basename(path));
    }
  }
}
