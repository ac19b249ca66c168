/**
 * ZIPs for browsers. A *ticket* is given over the contract and taken once, within a minute, at a host: it says what is wanted, and stands
 * in for no login.
 */
import { randomBytes } from 'node:crypto';
import { fail } from '../../contract/errors.ts';
import { executeExport } from '../../engine/export/export.ts';
import type { ZipSink } from '../../engine/export/zip-stream.ts';
import type { ExportProblem } from '../../engine/export/problem.ts';
import { baseName, displayPath } from '../../platform/byte-paths.ts';
import { pathBytes, pathText } from '../../platform/path-text.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Library } from '../library/library.ts';
import type { Common } from '../parts.ts';
import { wantedOf } from './request.ts';

export interface DownloadsOptions extends Pick<Common, 'clock' | 'identity' | 'besides'> {
  readonly library: Library;
  readonly destinations: Pick<Destinations, 'open'>;
}

export interface DownloadWish {
  readonly snapshot: string;
  readonly destination?: string | undefined;
  readonly items: readonly string[];
  readonly name?: string | undefined;
}

/** What a ticket is worth. */
export interface Download {
  readonly name: string;
  /** Writes the ZIP as it comes. Throws what reading and `sink` throw: what was written is no ZIP then. */
  send(sink: ZipSink, signal: AbortSignal): Promise<void>;
}

export const downloadPath = '/download/';
const lastsMs = 60_000;
const most = 100;

export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #tickets = new Map<string, { readonly wish: DownloadWish; readonly name: string; readonly until: number }>();

  constructor(options: DownloadsOptions) {
    this.#options = options;
  }

  /** Throws `snapshot-not-found`. */
  async give(wish: DownloadWish): Promise<{ path: string; name: string }> {
    const { library, clock } = this.#options;
    const { time } = await library.get(wish.snapshot);
    const only = wish.items.length === 1 ? pathText(baseName(pathBytes(wish.items[0]!))) : '';
    const day = new Date(time).toISOString().slice(0, 10);
    const name = fileName(wish.name ?? (only === '' || only === '/' ? `Holdfast ${day}` : `${only} ${day}`));
    const ticket = randomBytes(24).toString('base64url');
    this.#tickets.set(ticket, { wish, name, until: clock.monotonic() + lastsMs });
    for (const oldest of [...this.#tickets.keys()].slice(0, -most)) this.#tickets.delete(oldest);
    return { path: `${downloadPath}${ticket}`, name };
  }

  /** Undefined for a ticket that was taken, or is too old, or none of ours. */
  take(ticket: string): Download | undefined {
    const known = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    if (!known || known.until < this.#options.clock.monotonic()) return undefined;
    return { name: known.name, send: (sink, signal) => this.#send(known.wish, sink, signal) };
  }

  /** Another destination stands in only until the first byte is sent. */
  async #send({ snapshot, destination, items }: DownloadWish, sink: ZipSink, signal: AbortSignal): Promise<void> {
    const { library, destinations, besides, clock, identity } = this.#options;
    let hasBegun = false;
    let damaged: string | undefined;
    await besides.run(async (control) => {
      const cancel = (): void => control.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
      try {
        await library.tryEach(await library.holders(snapshot, destination), async (holder) => {
          if (hasBegun) fail('cancelled');
          const repository = await destinations.open(holder.destination, { signal: control.signal });
          try {
            // Nobody would read of it: a ZIP without some of its files must not look whole.
            const onProblem = ({ kind, path }: ExportProblem): void => {
              if (kind === 'damaged') damaged ??= displayPath(Buffer.from(path));
            };
            const options = { control, clock, holder: { ...identity, pid: process.pid }, onProblem };
            await executeExport(repository, wantedOf(holder.snapshot.id, items), options, {
              async write(bytes) {
                hasBegun = true;
                if (damaged !== undefined) fail('download-damaged', { path: damaged });
                await sink.write(bytes);
              },
            });
          } finally {
            await repository.storage.close().catch(() => {});
          }
        });
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    });
  }
}

/** As every system takes it. */
const fileName = (text: string): string =>
  `${text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\\/:*?"<>|\ufffd]/gu, '_')
    .slice(0, 150)
    .replace(/\.zip$/i, '')}.zip`;
