/** The keys of a relabelling rule, wherever it stands, and Prometheus' rules for what may stand together. */
import {
  compileRules,
  DEFAULT_RELABEL_RULE,
  RELABEL_ACTIONS,
  type RelabelAction,
  type RelabelRule,
} from '../model/relabel.js';
import { quote } from './document.js';
import type { IssueReport } from './issue.js';
import { type Section, section, withDefault } from './table.js';
import { count, list, nonEmptyText, scalar, text } from './value-type.js';

const action = scalar<RelabelAction>({
  name: RELABEL_ACTIONS.map((each) => `\`${each}\``).join(', '),
  expectation: `one of ${RELABEL_ACTIONS.join(', ')}`,
  parse: (given) => RELABEL_ACTIONS.find((each) => each === given.toLowerCase()),
});

export const RELABEL_KEYS = {
  source_labels: withDefault(
    list(nonEmptyText),
    DEFAULT_RELABEL_RULE.sourceLabels,
    'Labels whose values, joined, are looked at.',
  ),
  separator: withDefault(text, DEFAULT_RELABEL_RULE.separator, 'What joins them.'),
  regex: withDefault(
    text,
    DEFAULT_RELABEL_RULE.regex,
    'RE2 that all of the joined value must match; for the actions on names, all of a name.',
  ),
  modulus: withDefault(count(0, Number.MAX_SAFE_INTEGER), DEFAULT_RELABEL_RULE.modulus, 'For `hashmod`.'),
  target_label: withDefault(
    text,
    DEFAULT_RELABEL_RULE.targetLabel,
    'Label to set; for `replace` it may have `$1` and the like.',
  ),
  replacement: withDefault(
    text,
    DEFAULT_RELABEL_RULE.replacement,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the file, as it is to be shown
    'What to set it to: `$1` and `${1}` are groups of `regex`, `$$` is a dollar. An empty value takes the label away.',
  ),
  action: withDefault(action, DEFAULT_RELABEL_RULE.action, 'In any case of letters.'),
};

/** What a list of rules is read as. */
export const relabelRules = list(section(RELABEL_KEYS));

type RelabelSection = Section<typeof RELABEL_KEYS>;

/** @param names which ones rules may set */
export function resolveRelabelRules(
  sections: readonly RelabelSection[],
  names: 'utf8' | 'legacy',
  report: IssueReport,
): RelabelRule[] {
  return sections.map((each) => resolveRule(each, names, report));
}

function resolveRule(rule: RelabelSection, names: 'utf8' | 'legacy', report: IssueReport): RelabelRule {
  const { values } = rule;
  const resolved: RelabelRule = {
    action: values.action,
    sourceLabels: values.source_labels,
    separator: values.separator,
    regex: values.regex,
    modulus: values.modulus,
    targetLabel: values.target_label,
    replacement: values.replacement,
  };
  // What goes with an action that is none cannot be said.
  if (rule.refused('action')) return DEFAULT_RELABEL_RULE;
  const checks = names === 'legacy' ? [...CHECKS, checkLegacyNames] : CHECKS;
  const isSound = checks.every((check) => check(rule, resolved, report));
  return checkRegex(rule, report) && isSound ? resolved : DEFAULT_RELABEL_RULE;
}

/** @returns false when the rule is refused; the report then says why, once */
type Check = (rule: RelabelSection, resolved: RelabelRule, report: IssueReport) => boolean;

const NEED_TARGET: readonly RelabelAction[] = ['replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal']; // biome-ignore format: one line
const REPLACE_NOTHING: readonly RelabelAction[] = ['lowercase', 'uppercase', 'keepequal', 'dropequal'];

const CHECKS: readonly Check[] = [
  (rule, { action, modulus }, report) =>
    action !== 'hashmod' ||
    modulus > 0 ||
    rule.refused('modulus') ||
    refuse(rule, 'modulus', 'relabel configuration for hashmod requires non-zero modulus', report),
  (rule, { action, targetLabel }, report) =>
    !NEED_TARGET.includes(action) ||
    targetLabel !== '' ||
    rule.refused('target_label') ||
    refuse(rule, 'target_label', `relabel configuration for ${action} action requires 'target_label' value`, report), // biome-ignore format: one line
  (rule, { action, replacement }, report) =>
    !REPLACE_NOTHING.includes(action) ||
    replacement === DEFAULT_RELABEL_RULE.replacement ||
    refuse(rule, 'replacement', `'replacement' can not be set for ${action} action`, report),
  (rule, { action, replacement }, report) =>
    action !== 'labelmap' ||
    replacement !== '' ||
    refuse(rule, 'replacement', `${quote(replacement)} is invalid 'replacement' for labelmap action`, report),
  (rule, resolved, report) => {
    const { action } = resolved;
    if (action !== 'keepequal' && action !== 'dropequal') return true;
    const message = `${action} action requires only 'source_labels' and 'target_label', and no other fields`;
    return checkOnly(rule, resolved, ['sourceLabels', 'targetLabel'], message, report);
  },
  (rule, resolved, report) => {
    const { action } = resolved;
    if (action !== 'labeldrop' && action !== 'labelkeep') return true;
    const message = `${action} action requires only 'regex', and no other fields`;
    return checkOnly(rule, resolved, ['regex'], message, report);
  },
];

const LEGACY_NAME = /^[a-zA-Z_]\w*$/;
/** The same, where groups of the regular expression may stand for parts of it. */
const LEGACY_TEMPLATE = /^(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))(?:\w|\$(?:\{\w+\}|\w+))*$/;

function checkLegacyNames(rule: RelabelSection, resolved: RelabelRule, report: IssueReport): boolean {
  const { action, targetLabel, replacement } = resolved;
  if (action === 'labelmap')
    return (
      LEGACY_TEMPLATE.test(replacement) ||
      refuse(
        rule,
        'replacement',
        `${quote(replacement)} is invalid 'replacement' for labelmap action`,
        report,
      )
    );
  const pattern = action === 'replace' ? LEGACY_TEMPLATE : LEGACY_NAME;
  return (
    !NEED_TARGET.includes(action) ||
    pattern.test(targetLabel) ||
    refuse(
      rule,
      'target_label',
      `${quote(targetLabel)} is invalid 'target_label' for ${action} action`,
      report,
    )
  );
}

type Key = keyof typeof RELABEL_KEYS;

function refuse(rule: RelabelSection, key: Key, message: string, report: IssueReport): false {
  report.error(rule.at(key), `${rule.path}: ${message}`);
  return false;
}

const KEYS: Readonly<Record<keyof RelabelRule, Key>> = {
  action: 'action',
  sourceLabels: 'source_labels',
  separator: 'separator',
  regex: 'regex',
  modulus: 'modulus',
  targetLabel: 'target_label',
  replacement: 'replacement',
};

/** A field that is given as its default counts as not given, as in Prometheus. */
function checkOnly(
  rule: RelabelSection,
  resolved: RelabelRule,
  allowed: readonly (keyof RelabelRule)[],
  message: string,
  report: IssueReport,
): boolean {
  for (const field of Object.keys(KEYS) as (keyof RelabelRule)[]) {
    if (field === 'action' || allowed.includes(field)) continue;
    if (String(resolved[field]) !== String(DEFAULT_RELABEL_RULE[field]))
      return refuse(rule, KEYS[field], message, report);
  }
  return true;
}

function checkRegex(rule: RelabelSection, report: IssueReport): boolean {
  try {
    compileRules([{ ...DEFAULT_RELABEL_RULE, regex: rule.values.regex }]);
    return true;
  } catch (error) {
    report.error(
      rule.at('regex'),
      `${rule.path}.regex is no RE2 expression: ${(error as Error).message}, got ${quote(rule.values.regex)}`,
    );
    return false;
  }
}
