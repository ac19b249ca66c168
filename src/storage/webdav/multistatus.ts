/** Reads what PROPFIND answers (RFC 4918, 13): resources, each with the properties that the server could tell. */
import type { HttpAnswer } from '../http/exchange.ts';
import { XmlStream } from './xml-stream.ts';

export interface Resource {
  /** Its path from the server's root in decoded parts, without empty ones. */
  readonly path: readonly string[];
  readonly isFolder: boolean;
  /** In bytes; undefined when the server does not say. */
  readonly size: number | undefined;
  /** Milliseconds since 1970 by the server's clock; undefined when it does not say. */
  readonly modified: number | undefined;
}

/** What Holdfast wants to know of a resource. */
export const propfindBody: Uint8Array = Buffer.from(
  '<?xml version="1.0" encoding="utf-8"?>\n' +
    '<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/><D:getlastmodified/></D:prop></D:propfind>\n',
);

const response = '/multistatus/response';
const propstat = `${response}/propstat`;
const prop = `${propstat}/prop`;

/** By where they stand. */
interface Texts {
  /** The response's own. */
  readonly own: Map<string, string>;
  /** Those of the properties that were found. */
  readonly found: Map<string, string>;
  isFolder: boolean;
}

/** Takes a multistatus piece by piece and tells of each resource. Those that are gone meanwhile (404) are left out. */
class MultistatusReader {
  /** Where each open element stands, as a path of names; what is not of DAV is `?`. */
  readonly #places: string[] = [];
  readonly #onResource: (resource: Resource) => void;
  /** The folder that was asked for, to which an address may be relative. */
  readonly #folder: string;
  #texts: Texts = { own: new Map(), found: new Map(), isFolder: false };
  /** Of the propstat that is being read: whether they count is said at its end. */
  #props = new Map<string, string>();
  #isFolder = false;

  constructor(folder: string, onResource: (resource: Resource) => void) {
    this.#folder = folder;
    this.#onResource = onResource;
  }

  open(space: string, name: string): void {
    const place = `${this.#places.at(-1) ?? ''}/${space === 'DAV:' ? name : '?'}`;
    if (this.#places.length === 0 && place !== '/multistatus') throw new SyntaxError('it is no multistatus');
    this.#places.push(place);
    if (place === response) this.#texts = { own: new Map(), found: new Map(), isFolder: false };
    else if (place === propstat) {
      this.#props = new Map();
      this.#isFolder = false;
    } else if (place === `${prop}/resourcetype`) this.#props.set(place, '');
    else if (place === `${prop}/resourcetype/collection`) this.#isFolder = true;
  }

  text(text: string): void {
    const place = this.#places.at(-1)!;
    if (place.startsWith(propstat)) this.#props.set(place, (this.#props.get(place) ?? '') + text);
    else if (place.startsWith(response)) this.#texts.own.set(place, (this.#texts.own.get(place) ?? '') + text);
  }

  close(): void {
    const place = this.#places.pop();
    if (place === propstat && statusIn(this.#props.get(`${propstat}/status`)) === 200) {
      for (const [each, text] of this.#props) this.#texts.found.set(each, text);
      this.#texts.isFolder ||= this.#isFolder;
    } else if (place === response) this.#tell(this.#texts);
  }

  #tell({ own, found, isFolder }: Texts): void {
    const href = own.get(`${response}/href`)?.trim();
    if (href === undefined || href === '') throw new SyntaxError('a resource has no address');
    const status = own.get(`${response}/status`);
    if (status !== undefined && statusIn(status) === 404) return;
    if (status !== undefined && statusIn(status) !== 200) throw new SyntaxError(`a resource comes with the status ${status.trim()}`);
    // Without it nobody could tell a file from a folder.
    if (!found.has(`${prop}/resourcetype`)) throw new SyntaxError('a resource has no type');
    const size = found.get(`${prop}/getcontentlength`)?.trim() ?? '';
    const modified = Date.parse(found.get(`${prop}/getlastmodified`) ?? '');
    this.#onResource({
      path: partsOf(href, this.#folder),
      isFolder,
      size: /^\d{1,15}$/.test(size) ? Number(size) : undefined,
      modified: Number.isNaN(modified) ? undefined : modified,
    });
  }
}

/** The number in `HTTP/1.1 200 OK`. */
function statusIn(text: string | undefined): number {
  const match = /^HTTP\/\d(?:\.\d)? (\d{3})(?: |$)/.exec(text?.trim() ?? '');
  return match ? Number(match[1]) : 0;
}

function partsOf(href: string, folder: string): string[] {
  if (!URL.canParse(href, `http://server${folder}`)) throw new SyntaxError('a resource has an address that is none');
  const { pathname } = new URL(href, `http://server${folder}`);
  return pathParts(pathname);
}

/** A percent-encoded path in its decoded parts, without empty ones. What is not UTF-8 stays as it is. */
export const pathParts = (path: string): string[] =>
  path.split('/').flatMap((part) => {
    if (part === '') return [];
    try {
      // Some systems take letters with marks apart.
      return [decodeURIComponent(part).normalize('NFC')];
    } catch {
      return [part];
    }
  });

/**
 * Reads the answer to a PROPFIND on `folder` (percent-encoded, from the server's root) and calls `onResource` for each. Throws
 * SyntaxError for what is no multistatus, also when resources were told already; what breaks the connection is thrown as it is.
 */
export async function readMultistatus(answer: HttpAnswer, folder: string, onResource: (resource: Resource) => void): Promise<void> {
  const xml = new XmlStream(new MultistatusReader(folder, onResource));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (piece?: Uint8Array): string => {
    try {
      return piece ? decoder.decode(piece, { stream: true }) : decoder.decode();
    } catch {
      throw new SyntaxError('it is not UTF-8');
    }
  };
  for await (const piece of answer.pieces()) xml.push(decode(piece));
  xml.push(decode());
  xml.end();
}
