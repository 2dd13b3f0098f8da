import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './build.js';

/** Code blocks of a page. Behind the language may stand `file=NAME`, or a word that says what to do with it. */
export interface CodeBlock {
  readonly language: string;
  readonly file: string | undefined;
  readonly word: string | undefined;
  readonly text: string;
  /** The heading it stands under. */
  readonly section: string;
}

export function codeBlocks(markdown: string): CodeBlock[] {
  const pattern = /^#+ (.+)$|^```(\w*) ?(.*)\n([\s\S]*?)^```$/gm;
  let section = '';
  const blocks: CodeBlock[] = [];
  for (const [, heading, language = '', info = '', text] of markdown.matchAll(pattern)) {
    if (heading !== undefined) section = heading;
    if (text === undefined) continue;
    const file = /^file=(\S+)$/.exec(info)?.[1];
    const word = info === '' || file !== undefined ? undefined : info;
    blocks.push({ language, file, word, text, section });
  }
  return blocks;
}

/** Links inside the project, relative to the page, to what is not there: files and headings. */
export function brokenLinks(page: string): string[] {
  const links = read(page).matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?\)/g);
  return [...links].flatMap(([, target = '', fragment]) => {
    if (/^[a-z]+:/.test(target)) return [];
    const path = target === '' ? page : join(dirname(page), target);
    const isThere =
      existsSync(join(ROOT, path)) && (fragment === undefined || anchors(path).includes(fragment));
    return isThere ? [] : [`${target}${fragment === undefined ? '' : `#${fragment}`}`];
  });
}

/** Of headings, as GitHub makes them. */
function anchors(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}
