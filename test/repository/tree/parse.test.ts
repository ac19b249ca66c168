import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { formatNode, formatTree } from '../../../src/repository/tree/format.ts';
import { TimeFormat, ZERO_TIME_NS } from '../../../src/repository/tree/go-time.ts';
import type { Node } from '../../../src/repository/tree/node.ts';
import { parseTree } from '../../../src/repository/tree/parse.ts';
import { arbitraryNodes } from './arbitrary-node.ts';

const kathmandu = new TimeFormat(() => 345);
const ID = '00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210';
const T = '"mtime":"1970-01-01T00:00:00Z"';

const parse = (text: string): Node[] => parseTree(Buffer.from(text));
const parseNode = (fields: string): Node => parse(`{"nodes":[{${fields}}]}`)[0];
const fifo = (fields: string): Node => parseNode(`"name":"a","type":"fifo",${fields}`);

/** The reason for which `text` is refused as a tree. */
function refusal(text: string | Buffer): string {
  try {
    parseTree(Buffer.from(text as string), 'the-id');
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    expect(error.code).toBe('tree-invalid');
    expect(error.context.tree).toBe('the-id');
    return String(error.context.reason);
  }
  return 'not refused';
}
const refusedNode = (fields: string): string => refusal(`{"nodes":[{${fields}}]}`);

function withoutRaw(node: Node): Node {
  const copy = { ...node };
  delete copy.raw;
  return copy;
}

describe('a tree', () => {
  it('gives back every field of every node, and its text byte for byte', () => {
    fc.assert(
      fc.property(arbitraryNodes, (nodes) => {
        const blob = formatTree(nodes.map((node) => formatNode(node, kathmandu)));
        const parsed = parseTree(blob);
        expect(parsed.map(withoutRaw)).toEqual(nodes);
        expect(formatTree(parsed.map((node) => formatNode(node, kathmandu))).equals(blob)).toBe(true);
        expect(formatTree(parsed.map((node) => node.raw ?? '')).equals(blob)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('may have white space anywhere, fields in any order and fields that are unknown', () => {
    const text = ` {\t"later" : {"a":[1,-2.5e+3,true,false,null,"\\u00e9",{}]} ,\n "nodes" :\r[ { "content" : [ "${ID}" , "${ID.toUpperCase()}" ] , "x":[[]],
      "inode" : 18446744073709551615 , "xattr" : {} , "type" : "file" , "name" : "n" , ${T}, "size":7 } ] } \n`;
    const [node] = parse(text);
    expect(node).toMatchObject({ name: Buffer.from('n'), type: 'file', inode: 2n ** 64n - 1n, size: 7, mtimeNs: 0n });
    expect(node.content?.toString('hex')).toBe(ID + ID);
    expect(Buffer.from(node.raw ?? []).toString()).toMatch(/^\{ "content"[^]*"size":7 \}$/);
  });

  it('may be empty, as old versions wrote it too', () => {
    expect(parse('{"nodes":[]}\n')).toEqual([]);
    expect(parse('{"nodes":null}')).toEqual([]);
  });

  it('may come as any view of bytes', () => {
    const text = Buffer.from(`xx{"nodes":[{"name":"a","type":"fifo"}]}yy`);
    expect(parseTree(new Uint8Array(text).subarray(2, text.length - 2))).toHaveLength(1);
  });

  it('takes null and absence alike', () => {
    const names = ['mode', 'mtime', 'uid', 'user', 'inode', 'size', 'links', 'linktarget', 'linktarget_raw', 'extended_attributes'];
    const nulls = [...names, 'generic_attributes', 'device', 'content', 'subtree', 'error'].map((name) => `"${name}":null`).join(',');
    expect(withoutRaw(fifo(nulls))).toEqual(withoutRaw(fifo('"x":0')));
    expect(fifo('"x":0')).toMatchObject({ mtimeNs: ZERO_TIME_NS, atimeNs: ZERO_TIME_NS, user: '', content: null, subtree: null });
  });

  it('takes empty attribute lists as none', () => {
    expect(fifo('"extended_attributes":[ ],"generic_attributes":{ }')).toMatchObject({ xattrs: [], genericAttributes: undefined });
  });

  it('understands JSON escapes in keys, names and texts', () => {
    const name = '"\\u006eame":"\\u00e9\\ud83d\\ude00\\\\x2a\\\\u20ac"';
    const node = parseNode(`${name},"type":"f\\u0069fo","user":"\\ud800\\"\\b\\/","_\\u005fproto__":1,"\\u0078":2`);
    expect(node.name.toString()).toBe('é😀*€');
    expect(node.user).toBe('\ufffd"\b/');
  });

  it('reads bytes that are not UTF-8 as Go does, one U+FFFD for each', () => {
    const blob = Buffer.concat([Buffer.from('{"nodes":[{"name":"a'), Buffer.from('f09f98', 'hex'), Buffer.from('","type":"fifo"}]}')]);
    expect(parseTree(blob)[0].name.toString()).toBe('a\ufffd\ufffd\ufffd');
  });

  it('prefers the raw link target, wherever it stands', () => {
    const target = Buffer.from('ff', 'hex');
    expect(fifo('"linktarget":"\\ufffd","linktarget_raw":"/w=="').linkTarget).toEqual(target);
    expect(fifo('"linktarget_raw":"/w==","linktarget":"\\ufffd"').linkTarget).toEqual(target);
    const [, second] = parse('{"nodes":[{"name":"a","type":"fifo","linktarget_raw":"/w=="},{"name":"b","type":"fifo","linktarget":"t"}]}');
    expect(second.linkTarget?.toString()).toBe('t');
  });

  it('keeps the IDs of neighbours and of long lists apart', () => {
    const ids = Array.from({ length: 3000 }, (_, n) => n.toString(16).padStart(64, '0'));
    const files = ['a', 'b', 'c', 'd'].map(
      (name, n) => `{"name":"${name}","type":"file","content":${JSON.stringify(ids.slice(n * 10, n === 2 ? 3000 : n * 10 + 3))}}`,
    );
    const nodes = parse(`{"nodes":[${files.join(',')}]}`);
    expect(nodes.map((node) => node.content?.toString('hex'))).toEqual(
      [0, 1, 2, 3].map((n) => ids.slice(n * 10, n === 2 ? 3000 : n * 10 + 3).join('')),
    );
  });
});

describe('a tree is refused', () => {
  const two = (a: string, b: string): string => `{"nodes":[{"name":${a},"type":"fifo"},{"name":${b},"type":"fifo"}]}`;

  it('when names are not strictly ascending by their bytes', () => {
    expect(refusal(two('"b"', '"a"'))).toContain('ascending');
    expect(refusal(two('"a"', '"a"'))).toContain('ascending');
    expect(refusal(two('"a"', '"\\\\x61"'))).toContain('ascending');
    expect(refusal(two('"\\\\xff"', '"é"'))).toContain('ascending');
    expect(refusal(two('"\u{1f600}"', '"\uffee"'))).toContain('ascending');
    expect(refusal(two('"\uffee"', '"\u{1f600}"'))).toBe('not refused');
    expect(refusal(two('"a"', '"a\\\\x01"'))).toBe('not refused');
  });

  it.each(['', '.', '..', 'a/b', '/', '../x', '\\\\x00', 'a\\u0000', '\\\\x2f', '\\\\056', '\\\\x2e.', '\\u002e\\\\u002e', '\\\\u002f'])(
    'for the name %j',
    (name) => {
      expect(refusedNode(`"name":"${name}","type":"fifo"`)).toMatch(/name/);
    },
  );

  it.each(['...', '.a', '..a', ' ', 'a\\\\\\\\b'])('but not for the name %j', (name) => {
    expect(refusedNode(`"name":"${name}","type":"fifo"`)).toBe('not refused');
  });

  it.each(['\\\\', '\\\\x', '\\\\ud800', '\\"', '\\n', '\\\\q'])('for the malformed quoting %j', (name) => {
    expect(refusedNode(`"name":"${name}","type":"fifo"`)).toContain('a name is malformed');
  });

  it('when a node lacks what it needs', () => {
    expect(refusedNode('"type":"fifo"')).toContain('no name');
    expect(refusedNode('')).toContain('no name');
    expect(refusedNode('"name":"a"')).toContain('no type');
    expect(refusedNode('"name":"a","type":""')).toContain('unknown type');
    expect(refusedNode('"name":"a","type":"door"')).toContain('unknown type');
    expect(refusedNode('"name":"a","type":"file"')).toContain('no content');
    expect(refusedNode('"name":"a","type":"file","content":null')).toContain('no content');
    expect(refusedNode('"name":"a","type":"dir","content":null')).toContain('no subtree');
    expect(refusedNode('"name":"a","type":"dir","subtree":null')).toContain('no subtree');
  });

  it.each([
    ['"mode":4294967296', 'out of range'],
    ['"uid":-1', 'whole number'],
    ['"gid":1.0', 'not whole'],
    ['"gid":1e3', 'not whole'],
    ['"gid":01', 'starts with 0'],
    ['"uid":"1"', 'whole number'],
    ['"inode":18446744073709551616', 'out of range'],
    ['"inode":99999999999999999999', 'out of range'],
    ['"device_id":100000000000000000000', 'out of range'],
    ['"device":true', 'whole number'],
    ['"size":9007199254740992', 'out of range'],
    ['"size":9007199254740993', 'out of range'],
    ['"links":18446744073709551615', 'out of range'],
    [`"size":${'9'.repeat(100_000)}`, 'out of range'],
    [`"inode":${'9'.repeat(100_000)}`, 'out of range'],
    ['"mtime":""', 'a time is malformed'],
    ['"mtime":"yesterday"', 'a time is malformed'],
    ['"mtime":"2023-02-29T00:00:00Z"', 'a time is malformed'],
    ['"mtime":0', 'missing'],
    ['"user":1', 'missing'],
    ['"content":["00"]', 'an ID is malformed'],
    [`"content":["${ID}0"]`, 'an ID is malformed'],
    [`"content":["${ID.slice(1)}g"]`, 'an ID is malformed'],
    [`"content":["${ID}",]`, 'an ID is expected'],
    [`"content":["${ID}" "${ID}"]`, 'missing'],
    ['"content":[null]', 'an ID is expected'],
    ['"content":{}', 'missing'],
    [`"subtree":["${ID}"]`, 'an ID is expected'],
    ['"subtree":""', 'an ID is malformed'],
    ['"linktarget_raw":"/w="', 'base64'],
    ['"linktarget_raw":"/w=="x', 'missing'],
    ['"linktarget_raw":"-w=="', 'base64'],
    ['"linktarget_raw":"=w=="', 'base64'],
    ['"extended_attributes":{}', 'missing'],
    ['"extended_attributes":[{}]', 'no name'],
    ['"extended_attributes":[{"name":"","value":""}]', 'no name'],
    ['"extended_attributes":[{"name":"a","value":"x"}]', 'base64'],
    ['"generic_attributes":[]', 'no object'],
    ['"generic_attributes":{"a":}', 'malformed'],
    ['"x":tru', 'malformed'],
    ['"x":-', 'malformed'],
    ['"x":1.', 'malformed'],
    ['"x":.5', 'malformed'],
    ['"x":00', 'starts with 0'],
    ['"x":"\\x"', 'unknown escape'],
    ['"x":"\\u12g4"', 'malformed escape'],
    ['"x":"\t"', 'control character'],
    ['"x":1,', 'missing'],
    ['"x" 1', 'missing'],
    ['x:1', 'missing'],
  ])('for %.40s', (field, reason) => {
    expect(refusedNode(`"name":"a","type":"fifo",${field}`)).toContain(reason);
  });

  it.each([
    ['', 'cut off'],
    [' \n', 'cut off'],
    ['[]', 'missing'],
    ['null', 'missing'],
    ['{}', 'no list'],
    ['{"Nodes":[]}', 'no list'],
    ['{"nodes":{}}', 'missing'],
    ['{"nodes":[null]}', 'missing'],
    ['{"nodes":[],}', 'missing'],
    ['{"nodes":[,]}', 'missing'],
    ['{"nodes":[],"nodes":[]}', 'two lists'],
    ['{"nodes":[]}x', 'more text'],
    ['{"nodes":[]}\n{"nodes":[]}', 'more text'],
    ['{"nodes":[]}\0', 'more text'],
    ['\ufeff{"nodes":[]}', 'missing'],
  ])('for the text %j', (text, reason) => {
    expect(refusal(text)).toContain(reason);
  });

  it('wherever it is cut off', () => {
    fc.assert(
      fc.property(arbitraryNodes, (nodes) => {
        const blob = formatTree(nodes.map((node) => formatNode(node, kathmandu)));
        for (let length = 0; length < blob.length - 1; length++)
          expect(refusal(blob.subarray(0, length))).toMatch(/cut off|an ID is malformed/);
      }),
      { numRuns: 10 },
    );
  });

  it('when it is nested deeper than 64 levels, however deep', () => {
    const nested = (depth: number): string => `{"x":${'['.repeat(depth)}${']'.repeat(depth)},"nodes":[]}`;
    expect(refusal(nested(65))).toBe('not refused');
    expect(refusal(nested(66))).toContain('nested too deeply');
    expect(refusal(nested(1_000_000))).toContain('nested too deeply');
    expect(refusal(`{"x":${'{"":'.repeat(1_000_000)}`)).toContain('nested too deeply');
    expect(refusedNode(`"name":"a","type":"fifo","generic_attributes":${'{"a":'.repeat(100)}`)).toContain('nested too deeply');
  });
});

describe('hostile bytes', () => {
  const sample = Buffer.from(
    `{"nodes":[{"name":"a\\\\n","type":"file","mode":420,"mtime":"2020-09-13T14:26:40.12+02:00","atime":"2020-09-13T14:26:40Z",` +
      `"ctime":"2020-09-13T14:26:40Z","uid":0,"gid":0,"user":"r\\"\\u00e9","inode":18446744073709551615,"size":5,"links":1,` +
      `"linktarget":"x","linktarget_raw":"/w==","extended_attributes":[{"name":"user.a","value":"dg=="},{"name":"b","value":null}],` +
      `"generic_attributes":{"a":[1,{"b":-1.5e3}]},"content":["${ID}","${ID}"]},{"name":"é","type":"dir","content":null,"subtree":"${ID}"}]}\n`,
  );
  const survives = (bytes: Uint8Array): void => {
    try {
      for (const node of parseTree(bytes)) formatNode(node, kathmandu);
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'tree-invalid') throw error;
    }
  };

  it('never cause anything but a refusal: every byte replaced in turn', () => {
    for (let at = 0; at < sample.length; at++) {
      for (const byte of [0, 0x0a, 0x20, 0x22, 0x2c, 0x30, 0x39, 0x3a, 0x5b, 0x5c, 0x5d, 0x6e, 0x75, 0x7b, 0x7d, 0x80, 0xff]) {
        const mutated = Buffer.from(sample);
        mutated[at] = byte;
        survives(mutated);
      }
    }
  });

  it('never cause anything but a refusal: pieces removed, doubled, moved and invented', () => {
    const piece = fc.tuple(fc.nat(sample.length), fc.nat(sample.length));
    const edit = fc.tuple(
      piece,
      fc.oneof(
        fc.uint8Array({ maxLength: 4 }),
        piece.map(([a, b]) => sample.subarray(Math.min(a, b), Math.max(a, b))),
      ),
    );
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let bytes: Buffer = sample;
        for (const [[a, b], instead] of edits) {
          const start = Math.min(a, b, bytes.length);
          const end = start + Math.min(Math.abs(a - b) % 8, bytes.length - start);
          bytes = Buffer.concat([bytes.subarray(0, start), instead, bytes.subarray(end)]);
        }
        survives(bytes);
      }),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives), { numRuns: 500 });
  });
});
