/**
 * Large pieces of memory that are used again. Memory that is fresh from the system costs a page fault for every 4 KiB of it, which
 * took a third of the time of a restore from a fast network.
 */

/** What is smaller comes cheaply from the allocator; bytes. */
const leastBytes = 1 << 20;
/** More is not kept; bytes. */
const mostBytes = 40 << 20;

const spare: ArrayBuffer[] = [];
/** Memory that was given out whole. */
const given = new WeakSet<ArrayBufferLike>();

/** Memory of at least so many bytes with anything in it; of exactly so many when none is spare. */
export function takeMemory(bytes: number): ArrayBuffer {
  const fit = bytes < leastBytes ? -1 : spare.findIndex(({ byteLength }) => byteLength >= bytes && byteLength <= bytes * 2);
  const memory = fit < 0 ? (Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer) : spare.splice(fit, 1)[0];
  given.add(memory);
  return memory;
}

/** The same bytes in memory that holds nothing of anybody else, so that all of it can be handed over; a copy when need be. */
export function inOwnMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const isOwn = bytes.byteLength === bytes.buffer.byteLength || given.has(bytes.buffer);
  // Not with slice, which gives a view of a Buffer: small ones share their memory with others.
  return isOwn ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

/** Takes memory that nobody uses any more. */
export function giveMemoryBack(memory: ArrayBuffer): void {
  const kept = spare.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (memory.byteLength >= leastBytes && kept + memory.byteLength <= mostBytes) spare.push(memory);
}

/** Nothing is kept any more: whoever gave memory back has come to an end. */
export function dropSpareMemory(): void {
  spare.length = 0;
}
