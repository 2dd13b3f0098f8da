import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { maskSecrets } from '../../src/config/mask.js';

t.test('secrets are masked wherever they stand', async (t) => {
  const masked = maskSecrets(`
# the old password was hunter1
scrape_configs:
  - job_name: a # hunter2
    basic_auth: {username: me, password: hunter3}
    tls_config:
      key: |
        hunter4
      key_file: shown
    oauth2: {client_id: shown, client_secret: 12345678, endpoint_params: {scope: shown, password: hunter14}}
    proxy_url: http://hunter15@p:1
    proxy_connect_header: {X-Shown: [hunter16]}
    http_headers:
      X-Api-Key: {values: [hunter5], files: [hunter6]}
      X-Shown: {values: [shown], secrets: ["hunter7"]}
    consul_sd_configs: [{server: h, token: hunter8}]
    static_configs: [{targets: [h:1], labels: {key: shown, code: 007}}]
remote_write:
  - url: https://me:hunter9@r:1/w?shown=1&api_key=hunter17&x=shown#f
    headers: {X-Scope-OrgID: hunter13, X-Auth-Token: hunter10}
    authorization: {credentials: &secret hunter11}
  - url: http://r # a comment
    name: *secret
    bearer_token: *secret
    sigv4: {access_key: shown, secret_key: !!str hunter12}
`);
  t.notMatch(masked, /hunter|12345678/);
  t.equal(
    masked,
    `
scrape_configs:
  - job_name: a
    basic_auth: {username: me, password: <secret>}
    tls_config:
      key: <secret>
      key_file: shown
    oauth2: {client_id: shown, client_secret: <secret>, endpoint_params: {scope: shown, password: <secret>}}
    proxy_url: http://<secret>@p:1
    proxy_connect_header: {X-Shown: [<secret>]}
    http_headers:
      X-Api-Key: {values: [<secret>], files: [<secret>]}
      X-Shown: {values: [shown], secrets: [<secret>]}
    consul_sd_configs: [{server: h, token: <secret>}]
    static_configs: [{targets: [h:1], labels: {key: shown, code: 007}}]
remote_write:
  - url: https://me:<secret>@r:1/w?shown=1&api_key=<secret>&x=shown#f
    headers: {X-Scope-OrgID: <secret>, X-Auth-Token: <secret>}
    authorization: {credentials: &secret <secret>}
  - url: http://r
    name: *secret
    bearer_token: *secret
    sigv4: {access_key: shown, secret_key: !!str <secret>}
`,
  );
});

t.test('secrets among the parameters of a scrape', async (t) => {
  const masked = maskSecrets(`scrape_configs:
  - job_name: a
    metrics_path: /metrics?module=shown&token=hunter1
    params: {module: [shown], access_token: [hunter2, hunter3], api-key: hunter4, monkey: [shown], 'match[]': [up]}
    static_configs: [{targets: [h:1], labels: {__param_apikey: hunter5, __param_target: shown, __metrics_path__: "/?pwd=hunter6"}}]
    relabel_configs:
      - {target_label: __param_token, replacement: hunter7}
      - {target_label: __metrics_path__, replacement: "/x?sig=hunter8"}
      - {target_label: token, replacement: shown}
`);
  t.equal(
    masked,
    `scrape_configs:
  - job_name: a
    metrics_path: /metrics?module=shown&token=<secret>
    params: {module: [shown], access_token: [<secret>, <secret>], api-key: <secret>, monkey: [shown], 'match[]': [up]}
    static_configs: [{targets: [h:1], labels: {__param_apikey: <secret>, __param_target: shown, __metrics_path__: /?pwd=<secret>}}]
    relabel_configs:
      - {target_label: __param_token, replacement: <secret>}
      - {target_label: __metrics_path__, replacement: /x?sig=<secret>}
      - {target_label: token, replacement: shown}
`,
  );
});

t.test('the text of a configuration loads again, to the same but the secrets', async (t) => {
  const first = loadConfig(
    'global: {external_labels: {a: 1.10, b: "x: #y"}}\nscrape_configs: [{job_name: "5", params: {a: ["", "~"]}}]\nretention_target: 1h',
    'f',
  );
  if (!first.ok) throw new Error('refused');
  const second = loadConfig(first.config.text, 'f');
  t.strictSame(second, first);
});

t.test('comments go, and what only looks like one stays', async (t) => {
  const f = (text: string, expected: string) => t.equal(maskSecrets(text), expected, JSON.stringify(text));
  f('', '');
  f('# a', '');
  f('# a\r\nb: c # d\r\n', 'b: c\r\n');
  f('a: b # c\n# d\n  # e\nf: g', 'a: b\nf: g');
  f('a: b#c\nd: "#e"\nf: |\n  # g\n', 'a: b#c\nd: "#e"\nf: |\n  # g\n');
  f('--- # a\nb: [c, # d\n  e]\n... # f\n', '---\nb: [c,\n  e]\n...\n');
  f('a: # b\n  - c\n', 'a:\n  - c\n');
});

t.test('all else stays as it is written', async (t) => {
  for (const text of [
    'a:\nb: ~\nc: 1_000\nd: 1.50',
    "- 'x'\n- [ a,b ]\n- >-\n\n   x\n   y\n",
    '? a\n: &x !!str b\n',
  ]) {
    t.equal(maskSecrets(text), text);
  }
});
