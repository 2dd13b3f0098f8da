import { OpenMetricsPoints } from './openmetrics-points.js';
import { named, type OpenMetricsReport, type Place, quoted } from './openmetrics-report.js';
import type { OpenMetricsSample } from './openmetrics-sample.js';
import { METRIC_TYPES, type MetricType, type SampleRole, UNKNOWN_TYPE } from './openmetrics-types.js';

const UNDERSCORE = 0x5f;

export type Keyword = 'TYPE' | 'HELP' | 'UNIT';

interface Family {
  readonly name: string;
  readonly place: Place;
  readonly told: Set<Keyword>;
  type: MetricType;
  unit: string;
  /** Made by the first sample: then the type is known. */
  points: OpenMetricsPoints | undefined;
}

/** Which family a line is of, and how families stand to each other. */
export class OpenMetricsFamilies {
  readonly #report: OpenMetricsReport;
  readonly #body: Buffer;
  #family: Family | undefined;
  /** Every name that a family has or may give a sample → that family. */
  readonly #owners = new Map<string, string>();
  /** The sample name met last, and what it is in the family in hand. */
  #name: Buffer = Buffer.alloc(0);
  #suffix = '';
  #role: SampleRole | undefined;

  constructor(report: OpenMetricsReport, body: Buffer) {
    this.#report = report;
    this.#body = body;
  }

  takeMetadata(keyword: Keyword, name: string, text: string, textAt: number): void {
    const report = this.#report;
    if (this.#family?.name !== name) this.#begin(name);
    const family = this.#family!;
    if (family.points !== undefined)
      report.add(report.lineStart, `${keyword} of ${named(name)} must stand before its samples`);
    else if (family.told.has(keyword))
      report.add(report.lineStart, `a second ${keyword} line for ${named(name)}`);
    family.told.add(keyword);
    if (keyword === 'TYPE') this.#takeType(family, text, textAt);
    else if (keyword === 'UNIT') this.#takeUnit(family, text, textAt);
  }

  takeSample(sample: OpenMetricsSample): void {
    const { lineStart } = this.#report;
    if (!this.#isNamedAsBefore(lineStart, sample.nameEnd)) this.#meetName(lineStart, sample.nameEnd);
    const family = this.#family!;
    family.points ??= new OpenMetricsPoints(this.#report, this.#body, family.name, family.type);
    // A sample that has no place in its family was told of.
    if (this.#role === undefined) return;
    this.#checkValue(sample, this.#role);
    this.#checkExemplar(sample, this.#role);
    family.points.take(sample, this.#suffix, this.#role);
  }

  /** No line follows. */
  end(): void {
    const family = this.#family;
    this.#family = undefined;
    if (family === undefined) return;
    family.points?.end();
    this.#claimNames(family);
    if (family.unit !== '' && (family.type.name === 'info' || family.type.name === 'stateset'))
      this.#report.addAt(
        family.place,
        `${named(family.name)} is of type ${family.type.name}, which has no unit`,
      );
  }

  #begin(name: string): void {
    this.end();
    const place = this.#report.place(this.#report.lineStart);
    this.#family = { name, place, told: new Set(), type: UNKNOWN_TYPE, unit: '', points: undefined };
    this.#role = undefined;
    this.#name = Buffer.alloc(0);
    if (name.charCodeAt(0) === UNDERSCORE)
      this.#report.add(this.#report.lineStart, `names of families that start with an underscore are reserved: ${named(name)}`); // biome-ignore format: one text
  }

  #takeType(family: Family, text: string, textAt: number): void {
    const type = METRIC_TYPES.get(text);
    if (type === undefined) {
      const hint = text === 'untyped' ? '; what the classic format calls untyped is unknown here' : '';
      this.#report.add(textAt, `there is no type ${quoted(text)}${hint}`);
    } else if (family.points === undefined) family.type = type;
  }

  #takeUnit(family: Family, text: string, textAt: number): void {
    family.unit = text;
    if (!/^[a-zA-Z0-9_:]*$/.test(text))
      this.#report.add(textAt, `a unit has letters, digits and underscores, not ${quoted(text)}`);
    else if (text !== '' && !family.name.endsWith(`_${text}`))
      this.#report.add(textAt, `the name of the family must end in its unit: ${named(family.name)} in _${named(text)}`); // biome-ignore format: one text
  }

  #isNamedAsBefore(start: number, end: number): boolean {
    const { length } = this.#name;
    if (this.#family === undefined || end - start !== length) return false;
    return this.#body.compare(this.#name, 0, length, start, end) === 0;
  }

  #meetName(start: number, end: number): void {
    const name = this.#body.toString('latin1', start, end);
    if (!this.#isOfFamily(name)) {
      this.#begin(name);
      this.#isOfFamily(name);
    }
    this.#name = Buffer.from(name, 'latin1');
  }

  #isOfFamily(name: string): boolean {
    const family = this.#family;
    if (family === undefined || !name.startsWith(family.name)) return false;
    const suffix = name.slice(family.name.length);
    const { samples } = family.type;
    this.#suffix = suffix;
    this.#role = samples.get(suffix);
    if (this.#role !== undefined) return true;
    if (suffix !== '') return false;
    const names = [...samples.keys()].map((allowed) => `${named(family.name)}${allowed}`);
    const type = family.type.name;
    this.#report.add(this.#report.lineStart, `${named(name)} is no sample of the ${type} ${named(name)}: it has ${names.join(', ')}`); // biome-ignore format: one text
    return true;
  }

  /** No two families may give a sample the same name, whether or not they do. */
  #claimNames({ name, place, type }: Family): void {
    let hasTold = false;
    for (const suffix of new Set(['', ...type.samples.keys()])) {
      const claimed = name + suffix;
      const owner = this.#owners.get(claimed);
      if (owner === undefined) this.#owners.set(claimed, name);
      else if (!hasTold) {
        hasTold = true;
        this.#report.addAt(place, clash(name, owner, claimed));
      }
    }
  }

  #checkValue({ value, valueAt }: OpenMetricsSample, role: SampleRole): void {
    const report = this.#report;
    if (role.values !== undefined && !role.values.includes(value)) {
      report.add(valueAt, `the value here must be ${role.values.join(' or ')}`);
    } else if (role.noNan === true && Number.isNaN(value))
      report.add(valueAt, 'the value here must not be NaN');
    else if (role.noNegative === true && value < 0)
      report.add(valueAt, 'the value here must not be negative');
    else if (role.integer === true && !Number.isInteger(value))
      report.add(valueAt, 'the value here must be a whole number');
  }

  #checkExemplar(sample: OpenMetricsSample, role: SampleRole): void {
    if (sample.exemplarAt < 0 || role.mayHaveExemplar === true) return;
    this.#report.add(
      sample.exemplarAt,
      'only counters (_total) and buckets of histograms may have exemplars',
    );
  }
}

function clash(name: string, owner: string, claimed: string): string {
  if (name === owner) return `lines of one family must stand together, and those of ${named(name)} stood further up`; // biome-ignore format: one text
  return `the families ${named(name)} and ${named(owner)} clash: both may have samples called ${named(claimed)}`;
}
