/** What is wrong with a relabelling rule, and where. */
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';

const f = (rule: string, ...want: string[]) => {
  const text = `scrape_configs: [{job_name: a}]\nremote_write:\n- url: http://r/w\n  write_relabel_configs:\n  - ${rule}\n`; // biome-ignore format: one line
  const result = loadConfig(text, 'f', {});
  const issues = result.ok ? result.warnings : result.errors;
  t.strictSame(
    issues.map(({ line, column, message }) => `${line}:${column} ${message}`),
    want.map((each) => each.replace(' RULE', ' remote_write[0].write_relabel_configs[0]')),
    rule,
  );
};

f('{target_label: a}');
f('{source_labels: [a], target_label: "$1"}');
f('{target_label: "ü b"}');
f('{action: labelDROP, regex: x, separator: ";"}');
f('{action: HashMod, source_labels: [a], target_label: b, modulus: 9007199254740991}');
f('{action: uppercase, source_labels: [a], target_label: b}');
f('', '5:5 RULE is empty');
f('{}', "5:5 RULE: relabel configuration for replace action requires 'target_label' value");
f(
  '{action: hashmod, target_label: a}',
  '5:5 RULE: relabel configuration for hashmod requires non-zero modulus',
);
f(
  '{action: hashmod, target_label: a, modulus: -1}',
  '5:49 RULE.modulus must be a whole number from 0 to 9007199254740991, got "-1"',
);
f(
  '{action: lowercase, source_labels: [a]}',
  "5:5 RULE: relabel configuration for lowercase action requires 'target_label' value",
);
f(
  '{action: uppercase, source_labels: [a], target_label: b, replacement: x}',
  "5:75 RULE: 'replacement' can not be set for uppercase action",
);
f(
  '{action: keepequal, source_labels: [a], target_label: b, regex: x}',
  "5:69 RULE: keepequal action requires only 'source_labels' and 'target_label', and no other fields",
);
f(
  '{action: labelkeep, regex: x, source_labels: [a]}',
  "5:50 RULE: labelkeep action requires only 'regex', and no other fields",
);
f('{action: labelmap, replacement: ""}', '5:37 RULE: "" is invalid \'replacement\' for labelmap action');
f(
  '{action: destroy}',
  '5:14 RULE.action must be one of replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase, got "destroy"',
);
f(
  '{action: drop, regex: "a(?=b)"}',
  '5:27 RULE.regex is no RE2 expression: error parsing regexp: invalid or unsupported Perl syntax: `(?=`, got "a(?=b)"',
);
f('{regexp: x, target_label: a}', '5:6 unknown key "regexp" in RULE; did you mean "regex"?'.replace('in RULE', 'in remote_write[0].write_relabel_configs[0]')); // biome-ignore format: one line
