/** Dashboards as Grafana reads them, and its variables put into their queries. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './build.js';

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly exemplar: boolean;
  readonly instant: boolean;
  readonly datasource: { readonly type: string; readonly uid: string };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly panels?: readonly Panel[];
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

export interface Variable {
  readonly name: string;
  readonly type: 'datasource' | 'query' | 'custom';
  readonly query: string | { readonly query: string };
  readonly regex?: string;
  readonly allValue?: string;
  readonly current: { readonly value?: string | readonly string[] };
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

const DASHBOARDS = join(ROOT, 'deploy/grafana/dashboards');

/** By file name. */
export function readDashboards(): ReadonlyMap<string, Dashboard> {
  return new Map(
    readdirSync(DASHBOARDS).map((file) => [file, JSON.parse(readFileSync(join(DASHBOARDS, file), 'utf8'))]),
  );
}

/** Rows, and what is folded into them. */
export function allPanels({ panels }: Dashboard): Panel[] {
  return panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
}

/** What the variables are when a dashboard is opened: "All" is `allValue`. */
export function chosenValues({ templating }: Dashboard): Readonly<Record<string, string>> {
  const chosen = templating.list
    .filter(({ type }) => type !== 'datasource')
    .map(({ name, current, allValue }) => {
      const value = [current.value].flat()[0];
      if (value === undefined) throw new Error(`$${name} has no value to start with`);
      return [name, value === '$__all' ? allValue! : value];
    });
  return Object.fromEntries(chosen);
}

export interface Step {
  readonly stepSeconds: number;
  readonly rangeSeconds: number;
  /** `timeInterval` of the data source. */
  readonly scrapeSeconds: number;
}

/** What Grafana makes of `$__rate_interval` and the like. */
export function timeValues({ stepSeconds, rangeSeconds, scrapeSeconds }: Step): Record<string, string> {
  const rateSeconds = Math.max(stepSeconds + scrapeSeconds, 4 * scrapeSeconds);
  return {
    __rate_interval: `${rateSeconds}s`,
    __interval: `${stepSeconds}s`,
    __range: `${rangeSeconds}s`,
  };
}

/** `$name`, `${name}` and `${name:format}`. @throws where a variable is not known */
export function interpolate(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$(?:\{(\w+)(?::\w+)?\}|(\w+))/g, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    const value = values[name];
    if (value === undefined) throw new Error(`no variable $${name} in ${text}`);
    return value;
  });
}

/** The request that a query of a variable becomes. */
export function variableRequest(query: string): { path: string; match: string | undefined } {
  const values = /^label_values\((?:(.+),\s*)?(\w+)\)$/s.exec(query);
  if (values !== null) return { path: `/api/v1/label/${values[2]}/values`, match: values[1] };
  if (query === 'label_names()') return { path: '/api/v1/labels', match: undefined };
  throw new Error(`a kind of query that this test does not know: ${query}`);
}
