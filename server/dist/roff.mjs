// roff.mjs - text as roff, for the parts of manual pages that the build makes from other sources.

// Escape a text that is set as it is: no character of it is a request, and "-" stays the character of the keyboard.
export const literal = (text) =>
  text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/[^\0-\x7e]/gu, (sign) => `\\[u${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]`)
    .replace(/^[.']/gm, '\\&$&');

// Break a text into lines of at most 115 characters, for readers of the unformatted page.
const folded = (text) => {
  const lines = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= 115) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
};

export const paragraph = (text) => `${literal(folded(text))}\n`;
export const heading = (text) => `.SS ${literal(text)}\n`;

// An entry of a list: a name in bold, and what it is.
export const entry = (name, text) => `.TP\n.B ${literal(name)}\n${paragraph(text)}`;
