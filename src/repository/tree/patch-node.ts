/**
 * Changes single fields of a node's JSON and leaves all others as they are, byte for byte: those that nobody here knows too.
 */
import { fail } from '../../contract/errors.ts';
import { contentText } from './format.ts';
import { JsonScanner } from './json-scan.ts';

export interface NodePatch {
  /** Bytes; 0 is written by leaving the field out. */
  readonly size?: number;
  /** IDs one after the other, 32 bytes each. */
  readonly content?: Buffer;
  /** 32 bytes. */
  readonly subtree?: Uint8Array;
}

/** The order in which restic writes the fields from `size` on. */
const order = [
  'size',
  'links',
  'linktarget',
  'linktarget_raw',
  'extended_attributes',
  'generic_attributes',
  'device',
  'content',
  'subtree',
  'error',
];

const openBrace = 0x7b;
const closeBrace = 0x7d;
const colon = 0x3a;
const comma = 0x2c;

interface Field {
  readonly name: string;
  /** `"name":value` */
  readonly text: Uint8Array;
}

/** `raw` is the JSON object of a node. Throws `tree-invalid` when it is no object. */
export function patchNode(raw: Uint8Array, patch: NodePatch): Buffer {
  const fields = fieldsOf(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength));
  for (const [name, value] of Object.entries(textsOf(patch))) {
    const first = fields.findIndex((field) => field.name === name);
    const rank = order.indexOf(name);
    const later = fields.findIndex((field) => order.indexOf(field.name) > rank);
    const at = first >= 0 ? first : later >= 0 ? later : fields.length;
    for (let i = fields.length - 1; i >= 0; i--) if (fields[i].name === name) fields.splice(i, 1);
    if (value !== undefined) fields.splice(at, 0, { name, text: Buffer.from(`"${name}":${value}`) });
  }
  const parts: Uint8Array[] = [];
  for (const { text } of fields) parts.push(Buffer.of(parts.length === 0 ? openBrace : comma), text);
  return Buffer.concat([...(parts.length === 0 ? [Buffer.of(openBrace)] : parts), Buffer.of(closeBrace)]);
}

/** By name the JSON of what is to stand there; undefined: nothing. */
function textsOf({ size, content, subtree }: NodePatch): Record<string, string | undefined> {
  return {
    ...(size === undefined ? {} : { size: size === 0 ? undefined : String(size) }),
    ...(content === undefined ? {} : { content: contentText(content) }),
    ...(subtree === undefined ? {} : { subtree: `"${Buffer.from(subtree).toString('hex')}"` }),
  };
}

function fieldsOf(text: Buffer): Field[] {
  const scan = new JsonScanner(text, (reason, at) => fail('tree-invalid', { tree: '', reason, at }));
  const fields: Field[] = [];
  scan.expect(openBrace);
  if (scan.take(closeBrace)) return fields;
  do {
    scan.peek();
    const start = scan.pos;
    scan.string();
    const name = scan.stringBytes().toString('utf8');
    scan.expect(colon);
    scan.skipValue();
    fields.push({ name, text: text.subarray(start, scan.pos) });
  } while (scan.take(comma));
  scan.expect(closeBrace);
  return fields;
}
