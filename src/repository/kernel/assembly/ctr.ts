/** The parts of AES-CTR that are not AES: the counters that go in, and the keystream that is laid over the data. */

/**
 * Writes to `out` the `count` 16-byte counter blocks IV+first, IV+first+1, …: the whole IV is one big-endian number of
 * 128 bits that wraps around to 0.
 */
export function counterBlocks(iv: u32, first: u32, count: u32, out: u32): void {
  let high = bswap<u64>(load<u64>(iv));
  const ivLow = bswap<u64>(load<u64>(iv, 8));
  let low = ivLow + <u64>first;
  high += <u64>(low < ivLow);
  for (const end = out + (count << 4); out < end; out += 16) {
    store<u64>(out, bswap<u64>(high));
    store<u64>(out, bswap<u64>(low), 8);
    low++;
    high += <u64>(low == 0);
  }
}

/** target ^= keystream, over `length` bytes. Any alignment; the two do not overlap. */
export function xorInto(target: u32, keystream: u32, length: u32): void {
  const end = target + length;
  for (const last = target + (length & ~63); target < last; target += 64, keystream += 64) {
    v128.store(target, v128.xor(v128.load(target), v128.load(keystream)));
    v128.store(target, v128.xor(v128.load(target, 16), v128.load(keystream, 16)), 16);
    v128.store(target, v128.xor(v128.load(target, 32), v128.load(keystream, 32)), 32);
    v128.store(target, v128.xor(v128.load(target, 48), v128.load(keystream, 48)), 48);
  }
  for (; target < end; target++, keystream++) store<u8>(target, load<u8>(target) ^ load<u8>(keystream));
}

/** Whether `length` bytes are the same. Takes the same time wherever they differ. */
export function equal(left: u32, right: u32, length: u32): bool {
  let difference: u8 = 0;
  for (let i: u32 = 0; i < length; i++) difference |= load<u8>(left + i) ^ load<u8>(right + i);
  return difference == 0;
}
