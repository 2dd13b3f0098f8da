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
