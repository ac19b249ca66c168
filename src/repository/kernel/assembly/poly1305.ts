/**
 * Poly1305 (RFC 8439, section 2.5): ((m1·r^q + m2·r^(q-1) + … + mq·r) mod 2^130-5) + s mod 2^128.
 *
 * Numbers are five limbs of 26 bits, so that the products of a row fit 64 bits with room to spare. Long messages go four
 * blocks at a time: lane j of a vector sums the blocks j, j+4, j+8, … in steps of r^4, and in the end the lanes are
 * multiplied by r^4, r^3, r^2 and r and added up. The rest goes block by block.
 *
 * Nothing branches on or indexes by the key or the message, but what searches one's own packs: {@link findTag}.
 */

const LIMB_BITS: u64 = 26;
const LIMB: u64 = 0x3ffffff;

/** Below this the powers of r cost more than the lanes save. */
const VECTOR_FROM: u32 = 256;

/** The powers r^1 … r^4, each as five limbs of u32. */
const powers = memory.data(4 * 20, 16);
/** The four lanes' sums: limb by limb, four lanes of u32 each. */
const lanes = memory.data(5 * 16, 16);
/** The last block when it is shorter than 16 bytes. */
const lastBlock = memory.data(16, 16);

/** The sum so far. After a multiplication limbs are below 2^26 but the second, which may be slightly above. */
let h0: u64 = 0;
let h1: u64 = 0;
let h2: u64 = 0;
let h3: u64 = 0;
let h4: u64 = 0;

/** Writes the tag of the `length` bytes at `message` to the 16 bytes at `tag`. `key` is r (clamped here) ‖ s, 32 bytes. */
export function poly1305(message: u32, length: u32, key: u32, tag: u32): void {
  loadClamped(key);
  h0 = h1 = h2 = h3 = h4 = 0;

  if (length >= VECTOR_FROM) {
    const vectored = length & ~63;
    raisePowers();
    sumVectors(message, message + vectored);
    foldLanes();
    message += vectored;
    length -= vectored;
  }
  const whole = length & ~15;
  sumBlocks(message, message + whole, 1 << 24);
  if (length > whole) {
    memory.fill(lastBlock, 0, 16);
    memory.copy(lastBlock, message + whole, length - whole);
    store<u8>(lastBlock + (length - whole), 1);
    sumBlocks(lastBlock, lastBlock + 16, 0);
  }
  finish(key + 16, tag);
}

/** The tag that {@link findTag} compares. */
const triedTag = memory.data(16, 16);

/**
 * The length of the shortest message of at least one byte that begins at `message` and whose tag is in the 16 bytes behind
 * it; 0 when none of those that fit the `available` bytes is. `key` as for {@link poly1305}. The 16 bytes behind the available
 * ones may be read.
 */
export function findTag(message: u32, available: u32, key: u32): u32 {
  loadClamped(key);
  let sum0: u64 = 0;
  let sum1: u64 = 0;
  let sum2: u64 = 0;
  let sum3: u64 = 0;
  let sum4: u64 = 0;
  for (let length: u32 = 1; length + 16 <= available; length++) {
    h0 = sum0;
    h1 = sum1;
    h2 = sum2;
    h3 = sum3;
    h4 = sum4;
    const rest = length & 15;
    const block = message + ((length - 1) & ~15);
    if (rest === 0) {
      sumBlocks(block, block + 16, 1 << 24);
      sum0 = h0;
      sum1 = h1;
      sum2 = h2;
      sum3 = h3;
      sum4 = h4;
    } else {
      const bit: u64 = 1 << (<u64>(rest & 7) << 3);
      const low = load<u64>(block);
      store<u64>(lastBlock, rest < 8 ? (low & (bit - 1)) | bit : low);
      store<u64>(lastBlock, rest < 8 ? 0 : (load<u64>(block, 8) & (bit - 1)) | bit, 8);
      sumBlocks(lastBlock, lastBlock + 16, 0);
    }
    finish(key + 16, triedTag);
    const behind = message + length;
    if (load<u64>(triedTag) === load<u64>(behind) && load<u64>(triedTag, 8) === load<u64>(behind, 8)) return length;
  }
  return 0;
}

/** powers[0] = r & 0x0ffffffc0ffffffc0ffffffc0fffffff. */
function loadClamped(key: usize): void {
  store<u32>(powers, load<u32>(key) & 0x3ffffff);
  store<u32>(powers + 4, (load<u32>(key, 3) >> 2) & 0x3ffff03);
  store<u32>(powers + 8, (load<u32>(key, 6) >> 4) & 0x3ffc0ff);
  store<u32>(powers + 12, (load<u32>(key, 9) >> 6) & 0x3f03fff);
  store<u32>(powers + 16, (load<u32>(key, 12) >> 8) & 0x00fffff);
}

/** powers[1..3] = r^2, r^3, r^4. */
function raisePowers(): void {
  for (let power = powers; power < powers + 60; power += 20) {
    h0 = load<u32>(power);
    h1 = load<u32>(power, 4);
    h2 = load<u32>(power, 8);
    h3 = load<u32>(power, 12);
    h4 = load<u32>(power, 16);
    multiply(powers);
    store<u32>(power, <u32>h0, 20);
    store<u32>(power, <u32>h1, 24);
    store<u32>(power, <u32>h2, 28);
    store<u32>(power, <u32>h3, 32);
    store<u32>(power, <u32>h4, 36);
  }
  h0 = h1 = h2 = h3 = h4 = 0;
}

/** h = h·power mod 2^130-5, up to the carries. */
function multiply(power: usize): void {
  const r0 = <u64>load<u32>(power);
  const r1 = <u64>load<u32>(power, 4);
  const r2 = <u64>load<u32>(power, 8);
  const r3 = <u64>load<u32>(power, 12);
  const r4 = <u64>load<u32>(power, 16);
  const s1 = r1 * 5;
  const s2 = r2 * 5;
  const s3 = r3 * 5;
  const s4 = r4 * 5;
  const d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1;
  let d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2;
  let d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3;
  let d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4;
  let d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0;
  d1 += d0 >> LIMB_BITS;
  d2 += d1 >> LIMB_BITS;
  d3 += d2 >> LIMB_BITS;
  d4 += d3 >> LIMB_BITS;
  const low = (d0 & LIMB) + (d4 >> LIMB_BITS) * 5;
  h0 = low & LIMB;
  h1 = (d1 & LIMB) + (low >> LIMB_BITS);
  h2 = d2 & LIMB;
  h3 = d3 & LIMB;
  h4 = d4 & LIMB;
}

/** Adds the 16-byte blocks from `at` to `end`; `top` is 2^128 as a fifth limb for whole blocks, 0 for the padded last. */
function sumBlocks(at: usize, end: usize, top: u64): void {
  for (; at < end; at += 16) {
    const low = load<u64>(at);
    const high = load<u64>(at, 8);
    h0 += low & LIMB;
    h1 += (low >> 26) & LIMB;
    h2 += ((low >> 52) | (high << 12)) & LIMB;
    h3 += (high >> 14) & LIMB;
    h4 += (high >> 40) | top;
    multiply(powers);
  }
}

/** The low 32 bits of both lanes of `left` and `right`, beside each other: four lanes again. */
function narrow(left: v128, right: v128): v128 {
  return v128.shuffle<u32>(left, right, 0, 2, 4, 6);
}

/** One limb of the product of a and x in the lanes 0 and 1. */
function lowRow(a0: v128, a1: v128, a2: v128, a3: v128, a4: v128, x0: v128, x1: v128, x2: v128, x3: v128, x4: v128): v128 {
  const left = i64x2.add(i64x2.extmul_low_i32x4_u(a0, x0), i64x2.extmul_low_i32x4_u(a1, x1));
  const right = i64x2.add(i64x2.extmul_low_i32x4_u(a2, x2), i64x2.extmul_low_i32x4_u(a3, x3));
  return i64x2.add(i64x2.add(left, right), i64x2.extmul_low_i32x4_u(a4, x4));
}

/** One limb of the product of a and x in the lanes 2 and 3. */
function highRow(a0: v128, a1: v128, a2: v128, a3: v128, a4: v128, x0: v128, x1: v128, x2: v128, x3: v128, x4: v128): v128 {
  const left = i64x2.add(i64x2.extmul_high_i32x4_u(a0, x0), i64x2.extmul_high_i32x4_u(a1, x1));
  const right = i64x2.add(i64x2.extmul_high_i32x4_u(a2, x2), i64x2.extmul_high_i32x4_u(a3, x3));
  return i64x2.add(i64x2.add(left, right), i64x2.extmul_high_i32x4_u(a4, x4));
}

/** Sums the blocks from `at` to `end`, a multiple of 64 bytes, into {@link lanes}. */
function sumVectors(at: usize, end: usize): void {
  const fourth = powers + 60;
  const r0 = v128.load_splat<u32>(fourth);
  const r1 = v128.load_splat<u32>(fourth, 4);
  const r2 = v128.load_splat<u32>(fourth, 8);
  const r3 = v128.load_splat<u32>(fourth, 12);
  const r4 = v128.load_splat<u32>(fourth, 16);
  const five = i32x4.splat(5);
  const s1 = i32x4.mul(r1, five);
  const s2 = i32x4.mul(r2, five);
  const s3 = i32x4.mul(r3, five);
  const s4 = i32x4.mul(r4, five);
  const limb32 = i32x4.splat(0x3ffffff);
  const limb64 = i64x2.splat(0x3ffffff);
  const top = i32x4.splat(1 << 24);

  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let a4 = a0;
  for (let first = true; at < end; at += 64, first = false) {
    if (!first) {
      // Products of 32-bit lanes are 64 bits wide: d for the lanes 0 and 1, e for 2 and 3.
      const d0 = lowRow(a0, a1, a2, a3, a4, r0, s4, s3, s2, s1);
      let d1 = lowRow(a0, a1, a2, a3, a4, r1, r0, s4, s3, s2);
      let d2 = lowRow(a0, a1, a2, a3, a4, r2, r1, r0, s4, s3);
      let d3 = lowRow(a0, a1, a2, a3, a4, r3, r2, r1, r0, s4);
      let d4 = lowRow(a0, a1, a2, a3, a4, r4, r3, r2, r1, r0);
      const e0 = highRow(a0, a1, a2, a3, a4, r0, s4, s3, s2, s1);
      let e1 = highRow(a0, a1, a2, a3, a4, r1, r0, s4, s3, s2);
      let e2 = highRow(a0, a1, a2, a3, a4, r2, r1, r0, s4, s3);
      let e3 = highRow(a0, a1, a2, a3, a4, r3, r2, r1, r0, s4);
      let e4 = highRow(a0, a1, a2, a3, a4, r4, r3, r2, r1, r0);
      d1 = i64x2.add(d1, i64x2.shr_u(d0, 26));
      d2 = i64x2.add(d2, i64x2.shr_u(d1, 26));
      d3 = i64x2.add(d3, i64x2.shr_u(d2, 26));
      d4 = i64x2.add(d4, i64x2.shr_u(d3, 26));
      const dOver = i64x2.shr_u(d4, 26);
      const dLow = i64x2.add(v128.and(d0, limb64), i64x2.add(dOver, i64x2.shl(dOver, 2)));
      e1 = i64x2.add(e1, i64x2.shr_u(e0, 26));
      e2 = i64x2.add(e2, i64x2.shr_u(e1, 26));
      e3 = i64x2.add(e3, i64x2.shr_u(e2, 26));
      e4 = i64x2.add(e4, i64x2.shr_u(e3, 26));
      const eOver = i64x2.shr_u(e4, 26);
      const eLow = i64x2.add(v128.and(e0, limb64), i64x2.add(eOver, i64x2.shl(eOver, 2)));
      a0 = narrow(v128.and(dLow, limb64), v128.and(eLow, limb64));
      a1 = narrow(i64x2.add(v128.and(d1, limb64), i64x2.shr_u(dLow, 26)), i64x2.add(v128.and(e1, limb64), i64x2.shr_u(eLow, 26)));
      a2 = v128.and(narrow(d2, e2), limb32);
      a3 = v128.and(narrow(d3, e3), limb32);
      a4 = v128.and(narrow(d4, e4), limb32);
    }
    // Four blocks as rows of words; transposed, word w of every block is in one vector.
    const b0 = v128.load(at);
    const b1 = v128.load(at, 16);
    const b2 = v128.load(at, 32);
    const b3 = v128.load(at, 48);
    const t0 = v128.shuffle<u32>(b0, b1, 0, 4, 1, 5);
    const t1 = v128.shuffle<u32>(b2, b3, 0, 4, 1, 5);
    const t2 = v128.shuffle<u32>(b0, b1, 2, 6, 3, 7);
    const t3 = v128.shuffle<u32>(b2, b3, 2, 6, 3, 7);
    const w0 = v128.shuffle<u64>(t0, t1, 0, 2);
    const w1 = v128.shuffle<u64>(t0, t1, 1, 3);
    const w2 = v128.shuffle<u64>(t2, t3, 0, 2);
    const w3 = v128.shuffle<u64>(t2, t3, 1, 3);
    a0 = i32x4.add(a0, v128.and(w0, limb32));
    a1 = i32x4.add(a1, v128.and(v128.or(i32x4.shr_u(w0, 26), i32x4.shl(w1, 6)), limb32));
    a2 = i32x4.add(a2, v128.and(v128.or(i32x4.shr_u(w1, 20), i32x4.shl(w2, 12)), limb32));
    a3 = i32x4.add(a3, v128.and(v128.or(i32x4.shr_u(w2, 14), i32x4.shl(w3, 18)), limb32));
    a4 = i32x4.add(a4, v128.or(i32x4.shr_u(w3, 8), top));
  }
  v128.store(lanes, a0);
  v128.store(lanes, a1, 16);
  v128.store(lanes, a2, 32);
  v128.store(lanes, a3, 48);
  v128.store(lanes, a4, 64);
}

/** h = the lanes, times r^4, r^3, r^2 and r, added up. Its limbs are below 2^29, for which {@link multiply} has room. */
function foldLanes(): void {
  let sum0: u64 = 0;
  let sum1: u64 = 0;
  let sum2: u64 = 0;
  let sum3: u64 = 0;
  let sum4: u64 = 0;
  for (let lane: usize = 0; lane < 4; lane++) {
    const at = lanes + (lane << 2);
    h0 = load<u32>(at);
    h1 = load<u32>(at, 16);
    h2 = load<u32>(at, 32);
    h3 = load<u32>(at, 48);
    h4 = load<u32>(at, 64);
    multiply(powers + (3 - lane) * 20);
    sum0 += h0;
    sum1 += h1;
    sum2 += h2;
    sum3 += h3;
    sum4 += h4;
  }
  h0 = sum0;
  h1 = sum1;
  h2 = sum2;
  h3 = sum3;
  h4 = sum4;
}

/** Brings every limb below 2^26, but for a small rest in the second. */
function carry(): void {
  h1 += h0 >> LIMB_BITS;
  h0 &= LIMB;
  h2 += h1 >> LIMB_BITS;
  h1 &= LIMB;
  h3 += h2 >> LIMB_BITS;
  h2 &= LIMB;
  h4 += h3 >> LIMB_BITS;
  h3 &= LIMB;
  h0 += (h4 >> LIMB_BITS) * 5;
  h4 &= LIMB;
  h1 += h0 >> LIMB_BITS;
  h0 &= LIMB;
}

/** tag = (h mod 2^130-5) + s mod 2^128. */
function finish(s: usize, tag: usize): void {
  // Twice: what the first brings from the top limb back to the lowest may run on through full limbs.
  carry();
  carry();

  // g = h - (2^130-5); taken instead of h unless it is negative. Chosen by mask, not by branch.
  let g0 = h0 + 5;
  let g1 = h1 + (g0 >> LIMB_BITS);
  let g2 = h2 + (g1 >> LIMB_BITS);
  let g3 = h3 + (g2 >> LIMB_BITS);
  const g4 = h4 + (g3 >> LIMB_BITS);
  const useG: u64 = 0 - (g4 >> LIMB_BITS);
  h0 = (h0 & ~useG) | (g0 & LIMB & useG);
  h1 = (h1 & ~useG) | (g1 & LIMB & useG);
  h2 = (h2 & ~useG) | (g2 & LIMB & useG);
  h3 = (h3 & ~useG) | (g3 & LIMB & useG);
  h4 = (h4 & ~useG) | (g4 & LIMB & useG);

  const low = h0 | (h1 << 26) | (h2 << 52);
  const high = (h2 >> 12) | (h3 << 14) | (h4 << 40);
  const sumLow = low + load<u64>(s);
  store<u64>(tag, sumLow);
  store<u64>(tag, high + load<u64>(s, 8) + <u64>(sumLow < low), 8);
}
