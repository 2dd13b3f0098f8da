import t from 'tap';
import { expandEnvironment } from '../../src/config/environment.js';

const environment = { ZONE: 'eu', EMPTY: '', A_1: 'a' };

function f(template: string, text: string, missing: string[] = []): void {
  t.strictSame(expandEnvironment(template, environment), { text, missing }, template);
}

f('plain', 'plain');
f('$ZONE', 'eu');
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the syntax under test
f('${ZONE}1', 'eu1');
f('x-$ZONE-${A_1}.', 'x-eu-a.');
f('${constructor}', '', ['constructor']);
f('${}', '', ['']);
f('${ZONE', '${ZONE');
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the syntax under test
f('$ZONE1', '', ['ZONE1']);
f('$EMPTY', '', ['EMPTY']);
f('$$ZONE', '$ZONE');
f('5$', '5$');
f('$ 5', '$ 5');
f('$5', '', ['5']);
