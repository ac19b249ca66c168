/**
 * Reads the small XML documents with which object stores answer: listings and errors. No attributes, no namespaces (a
 * prefix is dropped), no document types: what none of these services sends is refused, so that nothing is expanded or fetched.
 */

export interface XmlElement {
  /** Without a namespace's prefix. */
  readonly name: string;
  /** The text directly inside, entities resolved; white space is kept. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

interface OpenElement {
  readonly tag: string;
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

/** No service nests deeper than five. */
const deepest = 32;

const markup = /<(?:\?[^]*?\?>|!--[^]*?-->|!\[CDATA\[([^]*?)\]\]>|(\/?)([\p{L}_][\p{L}\p{N}_.:-]*)(?:\s[^<>]*?)?(\/?)>)/uy;

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Throws SyntaxError for an entity that is unknown or not closed. */
export function withoutEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(/&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-z]+));|&/g, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined && Object.hasOwn(named, name)) return named[name]!;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (!(code <= 0x10ffff)) throw new SyntaxError(`unknown entity ${whole}`);
    return String.fromCodePoint(code);
  });
}

/** The root element. Throws SyntaxError for what is not well-formed, or uses more of XML than these services do. */
export function parseXml(document: string): XmlElement {
  const text = document.startsWith('\ufeff') ? document.slice(1) : document;
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  const addText = (piece: string): void => {
    const inside = open.at(-1);
    if (inside) inside.text += piece;
    else if (piece.trim() !== '') throw new SyntaxError('text outside of the root element');
  };
  let at = 0;
  while (at < text.length) {
    const next = text.indexOf('<', at);
    addText(withoutEntities(text.slice(at, next === -1 ? undefined : next)));
    if (next === -1) break;
    markup.lastIndex = next;
    const found = markup.exec(text);
    if (!found) throw new SyntaxError(`no markup at ${next}`);
    at = markup.lastIndex;
    const [, data, closing, tag, empty] = found;
    if (data !== undefined) addText(data);
    if (tag === undefined) continue;
    if (closing === '/') {
      const closed = open.pop();
      if (closed?.tag !== tag) throw new SyntaxError(`</${tag}> closes nothing`);
      const element = { name: closed.name, text: closed.text, children: closed.children };
      const around = open.at(-1);
      if (around) around.children.push(element);
      else root = element;
      continue;
    }
    if (root || open.length === deepest) throw new SyntaxError(root ? 'more than one root element' : 'nested too deeply');
    const name = tag.slice(tag.lastIndexOf(':') + 1);
    if (empty !== '/') {
      open.push({ tag, name, text: '', children: [] });
      continue;
    }
    const element = { name, text: '', children: [] };
    const around = open.at(-1);
    if (around) around.children.push(element);
    else root = element;
  }
  if (!root || open.length > 0) throw new SyntaxError('the document ends early');
  return root;
}

/** The text of the first child of this name, without the white space around it; undefined when there is none. */
export const textOf = (element: XmlElement, name: string): string | undefined =>
  element.children.find((child) => child.name === name)?.text.trim();

export const childrenOf = (element: XmlElement, name: string): XmlElement[] => element.children.filter((child) => child.name === name);
