/** The mounts of this computer as a watcher of sources needs them: which of them concern a source, and how a folder can be watched. */
import { isWithin, type Mount, mountOf, parseMounts, type Watching, watchingOf } from './mounts.ts';

export class MountTable {
  readonly #read: () => string;
  /** Paths (latin1). */
  readonly #sources: readonly string[];
  #mounts: readonly Mount[] = [];
  #text = '';
  /** How sources and mount points can be watched; any other folder as the one that it is in. */
  #watchings = new Map<string, Watching>();

  /** @param read as `systemMounts` */
  constructor(read: () => string, sources: readonly string[]) {
    this.#read = read;
    this.#sources = sources;
    this.look();
  }

  /** @returns whether there are others than before */
  look(): boolean {
    const text = this.#read();
    if (text === this.#text) return false;
    this.#text = text;
    this.#mounts = parseMounts(text);
    this.#watchings = new Map(this.#mounts.map(({ path, type }) => [path, watchingOf(type)]));
    for (const source of this.#sources) {
      const on = mountOf(this.#mounts, source);
      if (on !== undefined) this.#watchings.set(source, watchingOf(on.type));
    }
    return true;
  }

  watchingAt(path: string): Watching {
    return this.#watchings.get(path) ?? 'watch';
  }

  /** Those that a source is on, and that are in it, as a text that differs when one of them does. */
  of(source: string): string {
    const on = mountOf(this.#mounts, source);
    const within = this.#mounts.filter(({ path }) => path !== source && isWithin(path, source));
    return [...(on ? [on] : []), ...within].map(({ id, path, type }) => `${id} ${path} ${type}`).join('\n');
  }

  typeAt(path: string): string {
    return mountOf(this.#mounts, path)?.type ?? '';
  }

  /** Mount points (latin1) in the sources at which nothing is watched. */
  ignored(): string[] {
    const paths = [...this.#watchings].flatMap(([path, watching]) => (watching === 'ignore' ? path : []));
    return paths.filter((path) => this.#sources.some((source) => isWithin(path, source)));
  }
}
