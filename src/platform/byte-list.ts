/**
 * Many byte strings as one, for messages between threads: cloning a small Buffer would clone the whole pool that it is a
 * view of, and a message with thousands of buffers is slow.
 */

/** `items` one after the other, each behind its length (u32LE). */
export function joinList(items: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let total = 0;
  for (const item of items) total += 4 + item.length;
  const out = Buffer.from(new ArrayBuffer(total));
  let at = 0;
  for (const item of items) {
    out.writeUInt32LE(item.length, at);
    out.set(item, at + 4);
    at += 4 + item.length;
  }
  return out;
}

/** The items of a joined list; they are views on it. */
export function splitList(list: Uint8Array): Buffer[] {
  const bytes = Buffer.from(list.buffer, list.byteOffset, list.length);
  const items: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    items.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return items;
}

/** A copy with a buffer of its own, so that a message carries these bytes and no others. */
export const detached = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
