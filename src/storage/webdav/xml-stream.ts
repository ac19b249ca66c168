/**
 * Reads XML as it arrives, element by element, with namespaces: the listing of a folder with 100,000 files has 50 MB, and only
 * what is made of it is kept. No document types and no entities of a document's own, so that nothing is expanded or fetched.
 */
import { withoutEntities } from '../objects/xml.ts';

export interface XmlHandler {
  /** `space` is the address of the element's namespace, '' for none. */
  open(space: string, name: string): void;
  /** Text directly inside the element that is open, entities resolved; perhaps in several calls. */
  text(text: string): void;
  close(): void;
}

/** No server nests deeper than ten, nor writes a tag or a text without a tag that is near as long. */
const deepest = 64;
const longestPiece = 1 << 20;

const xmlName = String.raw`[\p{L}_][\p{L}\p{N}_.-]*(?::[\p{L}_][\p{L}\p{N}_.-]*)?`;
const attributes = String.raw`(?:\s+${xmlName}\s*=\s*(?:"[^<"]*"|'[^<']*'))*`;
const tagAt = new RegExp(String.raw`<(?:/(${xmlName})\s*|(${xmlName})(${attributes})\s*(/?))>`, 'uy');
const namespaces = /\s(xmlns(?::([^\s=]+))?)\s*=\s*(?:"([^"]*)"|'([^']*)')/gu;

/** What is no tag, by its beginning and its end. */
const asides = [
  ['<?', '?>'],
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
] as const;

interface OpenElement {
  /** With its prefix, as its end repeats it. */
  readonly tag: string;
  /** Namespaces by prefix; '' is that of names without one. */
  readonly spaces: ReadonlyMap<string, string>;
}

const noSpaces: ReadonlyMap<string, string> = new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]);

export class XmlStream {
  readonly #handler: XmlHandler;
  readonly #open: OpenElement[] = [];
  #text = '';
  #hasRoot = false;

  constructor(handler: XmlHandler) {
    this.#handler = handler;
  }

  /** Takes the next part of the document, cut anywhere. Throws SyntaxError. */
  push(text: string): void {
    this.#text += text;
    let at = 0;
    while (at < this.#text.length) {
      const next = this.#take(at);
      if (next === at) break;
      at = next;
    }
    this.#text = this.#text.slice(at);
    if (this.#text.length > longestPiece) throw new SyntaxError('a tag or a text is too long');
  }

  /** Throws SyntaxError unless the document is whole. */
  end(): void {
    if (this.#text.trim() !== '' || !this.#hasRoot || this.#open.length > 0) throw new SyntaxError('the document ends early');
  }

  /** Takes what begins at `at`, up to what it returns; `at` itself when its end has not arrived yet. */
  #take(at: number): number {
    const text = this.#text;
    const markup = text.indexOf('<', at);
    // A text is taken whole, so that no entity is cut in two.
    if (markup === -1) return at;
    if (markup > at) {
      this.#addText(withoutEntities(text.slice(at, markup)));
      return markup;
    }
    for (const [begin, end] of asides) {
      if (!text.startsWith(begin, at)) continue;
      const ending = text.indexOf(end, at + begin.length);
      if (ending === -1) return at;
      if (begin === '<![CDATA[') this.#addText(text.slice(at + begin.length, ending));
      return ending + end.length;
    }
    tagAt.lastIndex = at;
    const tag = tagAt.exec(text);
    if (tag) {
      this.#takeTag(tag);
      return tagAt.lastIndex;
    }
    // No tag holds another <, nor does any begin so.
    const isBroken = text.includes('<', at + 1) || (text.startsWith('<!', at) && text.length > at + 8);
    if (isBroken) throw new SyntaxError('what begins with < is no tag');
    return at;
  }

  #takeTag([, closing, opening, written, empty]: RegExpExecArray): void {
    if (closing !== undefined) {
      if (this.#open.pop()?.tag !== closing) throw new SyntaxError(`</${closing}> closes nothing`);
      this.#handler.close();
      return;
    }
    if (this.#open.length === 0 && this.#hasRoot) throw new SyntaxError('more than one root element');
    if (this.#open.length === deepest) throw new SyntaxError('nested too deeply');
    this.#hasRoot = true;
    const spaces = withNamespaces(this.#open.at(-1)?.spaces ?? noSpaces, written ?? '');
    const colon = opening!.indexOf(':');
    const prefix = colon === -1 ? '' : opening!.slice(0, colon);
    const space = spaces.get(prefix) ?? (prefix === '' ? '' : undefined);
    if (space === undefined) throw new SyntaxError(`the prefix ${prefix} has no namespace`);
    this.#handler.open(space, opening!.slice(colon + 1));
    if (empty === '/') this.#handler.close();
    else this.#open.push({ tag: opening!, spaces });
  }

  #addText(text: string): void {
    if (this.#open.length > 0) this.#handler.text(text);
    // A document may begin with a mark of its encoding.
    else if (text.replace(/^\ufeff/, '').trim() !== '') throw new SyntaxError('text outside of the root element');
  }
}

function withNamespaces(around: ReadonlyMap<string, string>, attributesText: string): ReadonlyMap<string, string> {
  if (!attributesText.includes('xmlns')) return around;
  const spaces = new Map(around);
  for (const [, , prefix = '', double, single] of attributesText.matchAll(namespaces))
    spaces.set(prefix, withoutEntities(double ?? single ?? ''));
  return spaces;
}
