/** Changes one field of a node's stored JSON and leaves every other byte of it as it is, also fields that are not known here. */
import { fail } from '../../contract/errors.ts';
import { JsonScanner } from './json-scan.ts';

const openBrace = 0x7b;
const closeBrace = 0x7d;
const colon = 0x3a;
const comma = 0x2c;

/**
 * `raw` is a JSON object, `name` the ASCII name of a field, `value` JSON text. Every field of that name gets the value; without
 * one, a copy of `raw` comes back. Throws `tree-invalid` when `raw` is no object.
 */
export function replaceField(raw: Uint8Array, name: string, value: string): Buffer {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const wanted = Buffer.from(name, 'latin1');
  const scan = new JsonScanner(text, (reason, at) => fail('tree-invalid', { tree: '', reason, at }));
  const parts: Buffer[] = [];
  let kept = 0;
  scan.expect(openBrace);
  if (!scan.take(closeBrace)) {
    do {
      scan.string();
      const isWanted = scan.matches(wanted);
      scan.expect(colon);
      scan.peek();
      const from = scan.pos;
      scan.skipValue();
      if (!isWanted) continue;
      parts.push(text.subarray(kept, from), Buffer.from(value));
      kept = scan.pos;
    } while (scan.take(comma));
    scan.expect(closeBrace);
  }
  parts.push(text.subarray(kept));
  return Buffer.concat(parts);
}
