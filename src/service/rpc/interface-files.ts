/**
 * The built interface as both hosts serve it, the one for browsers and the desktop shell's scheme. Which files there are is looked up once:
 * no request can name any other, however it writes its path.
 */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** Goes with every answer. Styles stand in attributes, too, which the library of the interface needs. */
export const protectingHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

/** Names that the bundler makes from what is in the file, so that this never changes. */
const hashed = /^\/assets\/.*-[\w-]{8}\.\w+$/;

/** What the build has compressed ahead, by the ending of its file; the smaller first. */
const encodings = { br: '.br', gzip: '.gz' } as const;
export type Encoding = keyof typeof encodings;

export interface InterfaceFile {
  readonly type: string;
  /** The same name will never hold anything else. */
  readonly isImmutable: boolean;
  /** Those in which it lies ready, the smallest first. */
  readonly encodings: readonly Encoding[];
  /** Throws when the file is not there any more: somebody builds it anew, or an update replaces it. */
  read(encoding?: Encoding): Promise<Buffer>;
}

export class InterfaceFiles {
  /** By the path in an address, as a URL writes it. */
  readonly #files: ReadonlyMap<string, string>;

  /** `folder` may not be there: then there is no interface yet. */
  constructor(folder: string) {
    this.#files = filesIn(folder);
  }

  /** @param path of an address; `/` is the first page. Undefined when there is no such file. */
  find(path: string): InterfaceFile | undefined {
    const name = path === '/' ? '/index.html' : path;
    const file = this.#files.get(name);
    if (file === undefined || isBesides(name)) return undefined;
    const ready = (Object.keys(encodings) as Encoding[]).filter((each) => this.#files.has(name + encodings[each]));
    return {
      type: types[extname(name)] ?? 'application/octet-stream',
      isImmutable: hashed.test(name),
      encodings: ready,
      read: (encoding) => readFile(encoding === undefined ? file : file + encodings[encoding]),
    };
  }
}

/** What lies beside the files of the interface, and is not one by itself. */
const isBesides = (name: string): boolean => ['.map', ...Object.values(encodings)].includes(extname(name));

function filesIn(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  const collect = (from: string, path: string): void => {
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      const at = `${path}/${entry.name}`;
      if (entry.isDirectory()) collect(join(from, entry.name), at);
      // Links may lead anywhere.
      else if (entry.isFile()) files.set(new URL(at, 'http://here').pathname, join(from, entry.name));
    }
  };
  try {
    collect(folder, '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return files;
}
