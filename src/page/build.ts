/** Builds the page into `dist/page`: `npm run page`. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const SOURCE = fileURLToPath(new URL('.', import.meta.url));
const OUT = fileURLToPath(new URL('../../dist/page', import.meta.url));

/** Of everything that a first visit loads, as gzip. */
const MAX_COMPRESSED_BYTES = 150_000;

await rm(OUT, { recursive: true, force: true });
await mkdir(join(OUT, 'assets'), { recursive: true });

const { metafile } = await build({
  entryPoints: [join(SOURCE, 'main.tsx')],
  outdir: join(OUT, 'assets'),
  entryNames: 'page-[hash]',
  bundle: true,
  minify: true,
  metafile: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
});

const built = Object.keys(metafile.outputs).map((path) => basename(path));
const nameOf = (extension: string) => built.find((name) => name.endsWith(extension))!;
const html = (await readFile(join(SOURCE, 'index.html'), 'utf8'))
  .replace('{{script}}', `./assets/${nameOf('.js')}`)
  .replace('{{style}}', `./assets/${nameOf('.css')}`);
await writeFile(join(OUT, 'index.html'), html);
await writeFile(join(OUT, 'assets/icon.svg'), await readFile(join(SOURCE, 'icon.svg')));

// The server adds to this one, and compresses it itself.
let total = gzipSync(html, { level: 9 }).length;
for (const path of ['assets/icon.svg', ...built.map((name) => `assets/${name}`)]) {
  const content = await readFile(join(OUT, path));
  const compressed = gzipSync(content, { level: 9 });
  await writeFile(join(OUT, `${path}.gz`), compressed);
  await writeFile(join(OUT, `${path}.br`), brotliCompressSync(content));
  total += compressed.length;
}
if (total > MAX_COMPRESSED_BYTES) {
  throw new Error(`the page is ${total} bytes compressed, more than ${MAX_COMPRESSED_BYTES}`);
}
process.stdout.write(`page: ${total} of ${MAX_COMPRESSED_BYTES} bytes compressed\n`);
