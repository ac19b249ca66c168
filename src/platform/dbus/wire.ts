/**
 * Values of D-Bus as bytes and back. Source: D-Bus Specification, "Type System" and "Message Protocol".
 *
 * Words: a *signature* is a row of types, such as `sa{sv}`; a *message* is a header and a body of values.
 */

/**
 * What a type's value is here: numbers (64 bits: bigint), booleans, text (s, o, g), an array for arrays, structs and entries
 * of dictionaries. A variant is read as the value in it, and written as a {@link Variant}.
 */
export type DbusValue = boolean | number | bigint | string | Variant | readonly DbusValue[];

export class Variant {
  readonly signature: string;
  readonly value: DbusValue;

  constructor(signature: string, value: DbusValue) {
    this.signature = signature;
    this.value = value;
  }
}

/** Text that a value is; '' for another value. */
export const textOf = (value: DbusValue | undefined): string => (typeof value === 'string' ? value : '');

/** Of numbers and of the lengths before text and arrays: size and alignment in bytes. */
const sizes: Readonly<Record<string, number>> = { y: 1, n: 2, q: 2, b: 4, i: 4, u: 4, x: 8, t: 8, d: 8 };

/** Type codes whose value begins at a multiple of so many bytes; of numbers it is their size. */
const alignments: Readonly<Record<string, number>> = { ...sizes, s: 4, o: 4, g: 1, v: 1, a: 4, '(': 8, '{': 8 };

/** Deeper nesting is not allowed by the specification (32 arrays and 32 structs). */
const deepest = 64;

/** The end of the complete type that begins at `from`. Throws RangeError for what is none. */
function endOfType(signature: string, from: number, depth = 0): number {
  const code = signature[from];
  if (code === undefined || depth > deepest || !Object.hasOwn(alignments, code)) throw new RangeError(`no type: ${signature}`);
  if (code === 'a') return endOfType(signature, from + 1, depth + 1);
  if (code !== '(' && code !== '{') return from + 1;
  const closing = code === '(' ? ')' : '}';
  let at = from + 1;
  // At least one: an array of nothings would have no end.
  do at = endOfType(signature, at, depth + 1);
  while (signature[at] !== closing);
  return at + 1;
}

/** The complete types of a signature. */
function typesOf(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = endOfType(signature, at);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

/** The bytes of values, little-endian. Throws TypeError for a value that is not of its type. */
export function encode(signature: string, values: readonly DbusValue[]): Buffer {
  const writer = new Writer();
  writer.row(typesOf(signature), values);
  return Buffer.from(writer.bytes);
}

class Writer {
  readonly bytes: number[] = [];

  row(types: readonly string[], values: DbusValue): void {
    if (!Array.isArray(values) || values.length !== types.length) throw new TypeError(`${types.join('')} needs ${types.length} values`);
    types.forEach((type, index) => this.value(type, values[index] as DbusValue));
  }

  value(type: string, value: DbusValue): void {
    const code = type[0] as string;
    this.#pad(alignments[code] as number);
    if (code in sizes) this.#number(code, value);
    else if (code === 's' || code === 'o') this.#text(textOf(value), 4);
    else if (code === 'g') this.#text(textOf(value), 1);
    else if (code === 'a') this.#array(type.slice(1), value);
    else if (code !== 'v') this.row(typesOf(type.slice(1, -1)), value);
    else if (value instanceof Variant) {
      this.value('g', value.signature);
      this.value(value.signature, value.value);
    } else throw new TypeError('a variant is needed');
  }

  #number(code: string, value: DbusValue): void {
    const bytes = Buffer.alloc(8);
    if (code === 'd') bytes.writeDoubleLE(Number(value));
    else bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(value as number | bigint | boolean)));
    this.bytes.push(...bytes.subarray(0, sizes[code]));
  }

  #text(text: string, lengthBytes: 1 | 4): void {
    const bytes = Buffer.from(text);
    this.#number(lengthBytes === 1 ? 'y' : 'u', bytes.length);
    this.bytes.push(...bytes, 0);
  }

  /** The length of an array counts neither itself nor the padding before the first item. */
  #array(item: string, values: DbusValue): void {
    if (!Array.isArray(values)) throw new TypeError('an array is needed');
    const lengthAt = this.bytes.length;
    this.#number('u', 0);
    this.#pad(alignments[item[0] as string] as number);
    const start = this.bytes.length;
    for (const each of values as readonly DbusValue[]) this.value(item, each);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(this.bytes.length - start);
    this.bytes.splice(lengthAt, 4, ...length);
  }

  #pad(alignment: number): void {
    while (this.bytes.length % alignment !== 0) this.bytes.push(0);
  }
}

/** The values that `bytes` hold from their start. Throws RangeError when they do not fit the signature. */
export function decode(signature: string, bytes: Buffer, littleEndian: boolean): DbusValue[] {
  const reader = new Reader(bytes, littleEndian);
  return typesOf(signature).map((type) => reader.value(type));
}

class Reader {
  readonly #bytes: Buffer;
  readonly #little: boolean;
  #at = 0;

  constructor(bytes: Buffer, little: boolean) {
    this.#bytes = bytes;
    this.#little = little;
  }

  value(type: string, depth = 0): DbusValue {
    if (depth > deepest) throw new RangeError('nested too deeply');
    const code = type[0] as string;
    this.#pad(alignments[code] as number);
    if (code in sizes) return this.#number(code);
    if (code === 's' || code === 'o') return this.#text(Number(this.#number('u')));
    if (code === 'g') return this.#text(Number(this.#number('y')));
    if (code === 'a') return this.#array(type.slice(1), depth);
    if (code !== 'v') return typesOf(type.slice(1, -1)).map((each) => this.value(each, depth + 1));
    const [inner, ...more] = typesOf(textOf(this.value('g')));
    if (inner === undefined || more.length > 0) throw new RangeError('a variant holds one value');
    return this.value(inner, depth + 1);
  }

  #number(code: string): number | bigint | boolean {
    const size = sizes[code] as number;
    const bytes = this.#take(size);
    if (code === 'd') return this.#little ? bytes.readDoubleLE() : bytes.readDoubleBE();
    if (code === 'x') return this.#little ? bytes.readBigInt64LE() : bytes.readBigInt64BE();
    if (code === 't') return this.#little ? bytes.readBigUInt64LE() : bytes.readBigUInt64BE();
    if (code === 'n' || code === 'i') return this.#little ? bytes.readIntLE(0, size) : bytes.readIntBE(0, size);
    const number = this.#little ? bytes.readUIntLE(0, size) : bytes.readUIntBE(0, size);
    return code === 'b' ? number !== 0 : number;
  }

  #text(length: number): string {
    return this.#take(length + 1)
      .subarray(0, length)
      .toString('utf8');
  }

  #array(item: string, depth: number): DbusValue[] {
    const length = Number(this.#number('u'));
    this.#pad(alignments[item[0] as string] as number);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('ends early');
    const values: DbusValue[] = [];
    while (this.#at < end) values.push(this.value(item, depth + 1));
    return values;
  }

  #take(length: number): Buffer {
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError('ends early');
    return this.#bytes.subarray(from, this.#at);
  }

  #pad(alignment: number): void {
    this.#at = Math.ceil(this.#at / alignment) * alignment;
  }
}

/** Types of messages. */
export const messageTypes = { call: 1, reply: 2, error: 3, signal: 4 } as const;

/** Codes of header fields, with their types. */
const fields = {
  path: [1, 'o'],
  interface: [2, 's'],
  member: [3, 's'],
  errorName: [4, 's'],
  replySerial: [5, 'u'],
  destination: [6, 's'],
  sender: [7, 's'],
  signature: [8, 'g'],
} as const;

export interface Message {
  readonly type: number;
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly replySerial?: number;
  readonly destination?: string;
  /** Put in by the bus. */
  readonly sender?: string;
  readonly signature?: string;
  readonly body: readonly DbusValue[];
}

const fixedHeaderBytes = 16;
/** The specification's limit of a whole message. */
const longestMessage = 1 << 27;

export function encodeMessage(message: Message): Buffer {
  const body = encode(message.signature ?? '', message.body);
  const present = Object.entries(fields).flatMap(([name, [code, type]]) => {
    const value = message[name as keyof typeof fields];
    return value === undefined ? [] : [[code, new Variant(type, value)]];
  });
  const header = encode('yyyyuua(yv)', ['l'.charCodeAt(0), message.type, 0, 1, body.length, message.serial, present]);
  return Buffer.concat([header, Buffer.alloc((8 - (header.length % 8)) % 8), body]);
}

/**
 * The message at the start of `bytes`, and how many bytes it takes; undefined when not all of it is there yet.
 * Throws RangeError for what is no message.
 */
export function decodeMessage(bytes: Buffer): { readonly message: Message; readonly length: number } | undefined {
  if (bytes.length < fixedHeaderBytes) return undefined;
  const little = bytes[0] === 'l'.charCodeAt(0);
  if (!little && bytes[0] !== 'B'.charCodeAt(0)) throw new RangeError('no message');
  const word = (at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const bodyAt = Math.ceil((fixedHeaderBytes + word(12)) / 8) * 8;
  const length = bodyAt + word(4);
  if (length > longestMessage) throw new RangeError('no message');
  if (bytes.length < length) return undefined;
  const [, type, , , , serial, pairs] = decode('yyyyuua(yv)', bytes.subarray(0, bodyAt), little);
  const byCode = new Map(pairs as unknown as [number, DbusValue][]);
  const header: Record<string, DbusValue> = {};
  for (const [name, [code]] of Object.entries(fields)) {
    const value = byCode.get(code);
    if (value !== undefined) header[name] = value;
  }
  const body = decode(textOf(header.signature), bytes.subarray(bodyAt, length), little);
  return { message: { ...header, type: Number(type), serial: Number(serial), body }, length };
}
