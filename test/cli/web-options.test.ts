import t from 'tap';
import { WEB_FLAG_DEFAULTS } from '../../src/cli/web-flags.js';
import { readWebFlags } from '../../src/cli/web-options.js';

const prefixes = (externalUrl?: string, routePrefix?: string) => {
  const { web } = readWebFlags({
    ...WEB_FLAG_DEFAULTS,
    'web.listenAddress': [],
    ...(externalUrl === undefined ? {} : { 'web.externalUrl': externalUrl }),
    ...(routePrefix === undefined ? {} : { 'web.routePrefix': routePrefix }),
  });
  return [web.routePrefix, web.publicPrefix];
};

t.test('where paths begin here, and for clients', async (t) => {
  t.strictSame(prefixes(), ['', '']);
  t.strictSame(prefixes('http://host/ex/'), ['/ex', '/ex'], 'the proxy leaves paths as they are');
  t.strictSame(prefixes('http://host/ex', '/'), ['', '/ex'], 'the proxy cuts it off');
  t.strictSame(prefixes('http://host', '/in'), ['/in', ''], 'the proxy adds it');
  t.strictSame(prefixes(undefined, 'in/'), ['/in', '/in']);
  t.throws(() => prefixes('http://host/%20'), /^--web.external-url: "\/%20" is not a plain path$/);
  t.throws(() => prefixes('host/ex'), /^--web.external-url: "host\/ex" is no URL/);
  t.throws(() => prefixes(undefined, '/a b'), /^--web.route-prefix: "\/a b" is not a plain path$/);
});
