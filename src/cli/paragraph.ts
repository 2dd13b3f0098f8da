/** Text in lines of at most `width` characters, each behind `indent`; the first behind `first` in its place. */
export function paragraph(
  text: string,
  width: number,
  first = '',
  indent = ' '.repeat(first.length),
): string {
  let lines = '';
  let line = first;
  let isEmpty = true;
  for (const word of text.split(/\s+/)) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines += `${line}\n`;
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return `${lines}${line}\n`;
}
