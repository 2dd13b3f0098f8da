import t from 'tap';
import { traceUrl } from '../../src/page/explore/trace-link.js';

/** As users write it. */
const PLACEHOLDER = ['$', '{value}'].join('');

const link = (url = 'https://tempo.example/trace/VALUE?q=VALUE') => ({
  label: 'trace_id',
  name: 'Tempo',
  url: url.replaceAll('VALUE', PLACEHOLDER),
});

t.test('the value is a part of the address, never more', async (t) => {
  t.equal(traceUrl(link(), 'abc'), 'https://tempo.example/trace/abc?q=abc');
  t.equal(
    traceUrl(link(), 'javascript:alert(1)//"><img>'),
    'https://tempo.example/trace/javascript%3Aalert(1)%2F%2F%22%3E%3Cimg%3E?q=javascript%3Aalert(1)%2F%2F%22%3E%3Cimg%3E',
  );
  t.match(traceUrl(link(), "$&$'../../"), "https://tempo.example/trace/%24%26%24'..%2F..%2F?q=");
});

t.test('anything but a web address is refused', async (t) => {
  for (const url of ['javascript:VALUE', 'VALUE', 'data:text/html,VALUE', '/trace/VALUE', 'file:///VALUE'])
    t.equal(traceUrl(link(url), 'javascript:alert(1)'), undefined, url);
  t.equal(traceUrl(link(), '\ud800'), undefined, 'half a character');
});

t.test('no value leads to another path of the host', async (t) => {
  for (const value of ['.', '..']) {
    t.equal(traceUrl(link(), value), undefined, value);
    t.equal(traceUrl(link('https://tempo.example/VALUE/trace'), value), undefined, value);
  }
  for (const before of ['.', '%2e', '%2E'])
    t.equal(traceUrl(link(`https://tempo.example/trace/${before}VALUE/x`), '.'), undefined, before);
  for (const value of ['...', '%2e%2e', '..\\..', './..', 'a..', "!~*'()", 'ü'])
    t.equal(
      traceUrl(link('https://tempo.example/a/../trace/VALUE'), value),
      `https://tempo.example/a/../trace/${encodeURIComponent(value)}`,
    );
  for (const url of ['https://tempo.example/?id=VALUE', 'https://tempo.example/#/VALUE'])
    t.equal(traceUrl(link(url), '..'), url.replace('VALUE', '..'), 'text outside of the path');
});
