/**
 * The kernel: the loops over every byte of a backup that Node has no fast call for, in WebAssembly.
 *
 * Everything works on linear memory through addresses (u32); nothing is allocated here. The caller lays out memory from
 * {@link heapBase} on and grows it. `kernel.ts` is that caller.
 */

export { findCut, initChunker, resetChunk } from './chunker';
export { counterBlocks, equal, xorInto } from './ctr';
export { findTag, poly1305 } from './poly1305';

/** The first address that the kernel's own tables do not use. */
export function heapBase(): u32 {
  return <u32>__heap_base;
}
