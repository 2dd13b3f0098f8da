import t from 'tap';
import { flagsOf } from '../../src/cli/run.js';
import { WEB_FLAG_DEFAULTS } from '../../src/cli/web-flags.js';

t.test('flags are shown without secrets', async (t) => {
  const flags = flagsOf({
    'config.autoReload': false,
    scrape: ['http://u:SECRET@h/x?token=SECRET', 'http://h2/?module=m'],
    ...WEB_FLAG_DEFAULTS,
    'web.listenAddress': [],
    'web.enableLifecycle': false,
    'log.level': 'info',
    'log.format': 'logfmt',
    demo: false,
  });
  t.equal(flags.scrape, 'http://u:<secret>@h/x?token=<secret>,http://h2/?module=m');
});
