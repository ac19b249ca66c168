/** Bytes to and from an open file: many requests are under way at the same time, since each takes as long as the line is. */
import type { Pace } from '../pace.ts';
import type { Handle, SftpChannel } from './channel.ts';

/** What OpenSSH takes at once, nearly; ssh2 cuts it into what another server takes. */
const pieceSize = 255 << 10;
/** So many pieces are under way, which fills the window of a session (2 MB) twice. */
const piecesTogether = 16;

/**
 * Writes the parts one after the other to a new file and has the server put them on its disk, if it can. Resolves to the size and
 * the time of the file as the server tells them, which the caller compares.
 */
export async function upload(
  channel: SftpChannel,
  handle: Handle,
  parts: readonly Uint8Array[],
  pace: Pace | undefined,
): Promise<{ size: number; modifiedMs: number }> {
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let position = 0;
  for (const piece of pieces(parts)) {
    const written: Promise<void> = channel.write(handle, piece, position).then(
      () => void underWay.delete(written),
      (error: unknown) => {
        underWay.delete(written);
        failure ??= { error };
      },
    );
    underWay.add(written);
    position += piece.length;
    await pace?.passed(piece.length, () => failure !== undefined);
    if (underWay.size >= piecesTogether) await Promise.race(underWay);
    if (failure) break;
  }
  await Promise.all(underWay);
  if (failure) throw failure.error;
  const [, facts] = await Promise.all([channel.sync(handle), channel.facts(handle)]);
  return facts;
}

/** The parts as pieces of equal size; small ones are put together. */
function* pieces(parts: readonly Uint8Array[]): Generator<Buffer> {
  let small: Uint8Array[] = [];
  let smallSize = 0;
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; ) {
      const view = part.subarray(at, at + pieceSize - smallSize);
      at += view.byteLength;
      small.push(view);
      smallSize += view.byteLength;
      if (smallSize < pieceSize) continue;
      yield joined(small);
      small = [];
      smallSize = 0;
    }
  }
  if (smallSize > 0) yield joined(small);
}

function joined(views: readonly Uint8Array[]): Buffer {
  const [first] = views;
  return views.length === 1 ? Buffer.from(first.buffer, first.byteOffset, first.byteLength) : Buffer.concat(views);
}

/** Fills `into` from `offset` on. Resolves to how many bytes there are from its beginning: all, unless the file ends before. */
export async function download(
  channel: SftpChannel,
  handle: Handle,
  into: Buffer,
  offset: number,
  pace: Pace | undefined,
): Promise<number> {
  let next = 0;
  let end = into.length;
  const worker = async (): Promise<void> => {
    while (next < end) {
      const begin = next;
      next = Math.min(into.length, begin + pieceSize);
      // A server may give less than it was asked for.
      for (let at = begin, last = next; at < last; ) {
        const bytes = await channel.read(handle, into.subarray(at, last), offset + at);
        if (bytes === 0) {
          end = Math.min(end, at);
          return;
        }
        at += bytes;
        await pace?.passed(bytes);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(piecesTogether, Math.ceil(into.length / pieceSize)) }, worker));
  return end;
}
