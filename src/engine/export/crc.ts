/** CRC-32 of content whose pieces are worked on at the same time. */

/** The polynomial of CRC-32, its bits reversed. */
const polynomial = 0xedb88320;

/** The product of two polynomials over GF(2), modulo that of CRC-32; bit 31 is x^0. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 1 << 31; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= b;
    b = (b & 1) === 0 ? b >>> 1 : (b >>> 1) ^ polynomial;
  }
  return product >>> 0;
}

/** x^(2^n), for n up to 63. */
const powers: readonly number[] = (() => {
  const list = [1 << 30];
  for (let n = 1; n < 64; n++) list.push(multiply(list[n - 1], list[n - 1]));
  return list;
})();

/**
 * The CRC of a content from that of its first part, that of its second, and the second's length in bytes: appending zeros to
 * the first multiplies by x^(8·length). Source: zlib, crc32_combine (crc32.c).
 */
export function combineCrc(first: number, second: number, length: number): number {
  let factor = 1 << 31;
  for (let n = 3, rest = length; rest > 0; n++, rest = Math.floor(rest / 2)) if (rest % 2 === 1) factor = multiply(powers[n], factor);
  return (multiply(factor, first) ^ second) >>> 0;
}
