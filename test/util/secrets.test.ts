import t from 'tap';
import { isSecretName, redactQuery, redactUrl } from '../../src/util/secrets.js';

t.test('names of secrets', async (t) => {
  const names = `
    key apikey api_key api-key apiKey APIKey API_KEY X-Api-Key xauthtoken keys token token2
    access_token accessToken secretAccessKey X-Amz-Security-Token jwt auth oauth Authorization sig
    signature X-Goog-Signature X-Amz-Credential hmac secret client_secret password Password
    db.password passwd pwd pass cookie credential credentials bearer PASSWORD1 user[password]`;
  for (const name of names.trim().split(/\s+/)) t.ok(isSecretName(name), name);
});

t.test('names of other things', async (t) => {
  const names = `
    match[] module target monkey keyspace turnkey author authority design signal tokenizer passive
    compass bypass secretary hostname X-Scope-OrgID user collect[] format x query id access proxy`;
  for (const name of names.trim().split(/\s+/)) t.notOk(isSecretName(name), name);
});

t.test('URLs', async (t) => {
  const f = (url: string, expected: string) => t.equal(redactUrl(url), expected);
  f('http://u:SECRET@h/x?token=SECRET2', 'http://u:<secret>@h/x?token=<secret>');
  f('http://SECRET@h', 'http://<secret>@h');
  f('http://h/?match[]=a&module=b&api%5Fkey=SECRET#f', 'http://h/?match[]=a&module=b&api%5Fkey=<secret>#f');
  f('http://h/?token=&key', 'http://h/?token=&key');
  f('http://h/?%zz=1&sig=SECRET', 'http://h/?%zz=1&sig=<secret>');
  f('https://h/?monkey=1&keyspace=k', 'https://h/?monkey=1&keyspace=k');
  f('h:80/?token=shown', 'h:80/?token=shown');
  f(
    'http://h/probe?module=m&target=http%3A%2F%2Fu%3ASECRET%40b%2F%3Ftoken%3DSECRET',
    `http://h/probe?module=m&target=${encodeURIComponent('http://u:<secret>@b/?token=<secret>')}`,
  );
  f('http://h/probe?target=http%3A%2F%2Fb%2F', 'http://h/probe?target=http%3A%2F%2Fb%2F');
});

t.test('the part of a URL from its path on', async (t) => {
  t.equal(redactQuery('/metrics?a=1&access_token=SECRET'), '/metrics?a=1&access_token=<secret>');
  t.equal(redactQuery('/metrics'), '/metrics');
});
