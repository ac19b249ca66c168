/** Has the system read a file, so that the first questions about it do not wait for its disk piece by piece. */
import { open } from 'node:fs/promises';

const pieceBytes = 1 << 20;

/** Ends early when `isWanted` says so, or the file cannot be read: whoever needs it will say why. */
export async function readAhead(file: string, isWanted: () => boolean): Promise<void> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return;
  try {
    const piece = Buffer.allocUnsafeSlow(pieceBytes);
    for (let read = pieceBytes; read > 0 && isWanted(); ) read = (await handle.read(piece, 0, pieceBytes, null)).bytesRead;
  } catch {
    // As above.
  } finally {
    await handle.close().catch(() => {});
  }
}
