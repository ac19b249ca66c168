/**
 * Content-defined chunking as restic does it (repository-format.md, "Chunker"): Rabin fingerprints over GF(2)[x]/P with
 * deg P = 53 and a window of 64 bytes.
 *
 * The fingerprint of a position depends on the 64 bytes before it and on nothing else. Two things follow:
 * - no state but the position has to survive between calls, since the window is read again from the chunk itself;
 * - positions far apart can be computed side by side. One fingerprint is a chain of dependent loads that leaves most of
 *   the processor idle, so {@link blockHasCut} runs four of them, a quarter of a block each.
 */

const WINDOW: u32 = 64;
const MIN_LENGTH: u32 = 524288;
const MAX_LENGTH: u32 = 8388608;
const CUT_MASK: u32 = 0xfffff;
const DEGREE: u64 = 53;

/** Positions that one lane looks at in a block. Each lane of a block first reads its window, 64 bytes, so 2048 costs 3%. */
const LANE: u32 = 2048;
const BLOCK: u32 = 4 * LANE;

/** `leave[b]` = b·x^(8·64) mod P: what a byte that has just left the window still contributes after the shift. */
const leave = memory.data(2048, 64);
/** `reduce[t]` = ((t·x^53) mod P) | t<<53: brings a shifted fingerprint back below x^53 by its top eight bits t. */
const reduce = memory.data(2048, 64);

/** The shortest chunk length that has not been looked at yet. */
let nextLength: u32 = MIN_LENGTH;

/** Fills the tables for the irreducible polynomial P of degree 53, given with all its 54 bits. */
export function initChunker(polynomial: u64): void {
  fillTable(leave, 8 * WINDOW, polynomial, 0);
  fillTable(reduce, <u32>DEGREE, polynomial, 1);
  resetChunk();
}

/** table[b] = (b·x^power mod P) | keep·(b<<53). Multiplication is linear: eight powers of x give all 256 products. */
function fillTable(table: usize, power: u32, polynomial: u64, keep: u64): void {
  let product: u64 = 1;
  for (let i: u32 = 0; i < power; i++) product = timesX(product, polynomial);
  store<u64>(table, 0);
  for (let bit: u32 = 0; bit < 8; bit++) {
    const one: u32 = 1 << bit;
    const entry = product | ((keep << bit) << DEGREE);
    for (let low: u32 = 0; low < one; low++) {
      store<u64>(table + ((one + low) << 3), entry ^ load<u64>(table + (low << 3)));
    }
    product = timesX(product, polynomial);
  }
}

function timesX(value: u64, polynomial: u64): u64 {
  const shifted = value << 1;
  return (shifted >> DEGREE) & 1 ? shifted ^ polynomial : shifted;
}

/** Starts the next chunk. */
export function resetChunk(): void {
  nextLength = MIN_LENGTH;
}

/**
 * The length of the chunk that begins at `chunk`, of which `available` bytes are there; 0 when more are needed to tell.
 * Asked again for the same chunk (which may have moved in memory) with more bytes, it goes on where it stopped.
 */
export function findCut(chunk: u32, available: u32): u32 {
  const end = min(available, MAX_LENGTH);
  let length = nextLength;
  if (end < length) return 0;

  while (end - length >= BLOCK) {
    if (blockHasCut(chunk + length - 1 - WINDOW)) break;
    length += BLOCK;
  }

  // Position by position: what is left at the end, or a block in which a cut was seen.
  let leaving: usize = chunk + length - 1 - WINDOW;
  let hash = fingerprint(leaving);
  while (length <= end) {
    hash = slide(hash, leaving++);
    if (isCut(hash)) {
      nextLength = length;
      return length;
    }
    length++;
  }
  nextLength = length;
  return end == MAX_LENGTH ? MAX_LENGTH : 0;
}

/** What brings `hash`, shifted by a byte, back below x^53. */
function reduced(hash: u64): u64 {
  return load<u64>(reduce + (<usize>(hash >> 45) << 3));
}

/** What the byte that leaves the window has to be taken out with. */
function left(byte: u8): u64 {
  return load<u64>(leave + (<usize>byte << 3));
}

function isCut(hash: u64): bool {
  return (<u32>hash & CUT_MASK) == 0;
}

/** The fingerprint of the 64 bytes at `window`. */
function fingerprint(window: usize): u64 {
  let hash: u64 = 0;
  for (const end = window + WINDOW; window < end; window++) {
    hash = (hash << 8) ^ reduced(hash) ^ <u64>load<u8>(window);
  }
  return hash;
}

/** Moves the window one byte on: the byte at `window` goes out, the one 64 bytes behind it comes in. */
function slide(hash: u64, window: usize): u64 {
  return (hash << 8) ^ reduced(hash) ^ left(load<u8>(window)) ^ <u64>load<u8>(window, WINDOW);
}

/** Whether one of the next {@link BLOCK} positions is a cut; the first slide takes the byte at `window` out. */
function blockHasCut(window: usize): bool {
  let a = fingerprint(window);
  let b = fingerprint(window + LANE);
  let c = fingerprint(window + 2 * LANE);
  let d = fingerprint(window + 3 * LANE);
  // Four slides, written out because only constant offsets become part of the load instruction.
  for (const end = window + LANE; window < end; window++) {
    a = (a << 8) ^ reduced(a) ^ left(load<u8>(window, 0)) ^ <u64>load<u8>(window, WINDOW);
    b = (b << 8) ^ reduced(b) ^ left(load<u8>(window, LANE)) ^ <u64>load<u8>(window, LANE + WINDOW);
    c = (c << 8) ^ reduced(c) ^ left(load<u8>(window, 2 * LANE)) ^ <u64>load<u8>(window, 2 * LANE + WINDOW);
    d = (d << 8) ^ reduced(d) ^ left(load<u8>(window, 3 * LANE)) ^ <u64>load<u8>(window, 3 * LANE + WINDOW);
    if (isCut(a) || isCut(b) || isCut(c) || isCut(d)) return true;
  }
  return false;
}
