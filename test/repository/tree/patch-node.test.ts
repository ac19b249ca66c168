import { describe, expect, test } from 'vitest';
import { formatNode } from '../../../src/repository/tree/format.ts';
import { TimeFormat } from '../../../src/repository/tree/go-time.ts';
import { parseNode } from '../../../src/repository/tree/parse.ts';
import { patchNode } from '../../../src/repository/tree/patch-node.ts';

const id = (digit: string): Buffer => Buffer.from(digit.repeat(64), 'hex');
const patched = (text: string, patch: Parameters<typeof patchNode>[1]): string => patchNode(Buffer.from(text), patch).toString();

describe('patchNode', () => {
  test('changes the fields that are named and leaves the others byte for byte, unknown ones and their spelling too', () => {
    const text = `{"name":"\\u003ca\\n","type":"file","size":7,"x":{"y":[1, 2.50]},"links":1,"content":["${'ab'.repeat(32)}"],"z":"\\u00e9"}`;
    expect(patched(text, { size: 3, content: Buffer.concat([id('1'), id('2')]) })).toBe(
      `{"name":"\\u003ca\\n","type":"file","size":3,"x":{"y":[1, 2.50]},"links":1,"content":["${'1'.repeat(64)}","${'2'.repeat(64)}"],"z":"\\u00e9"}`,
    );
    expect(patched(text, {})).toBe(text);
  });

  test('leaves a size of 0 out and puts a new field where restic writes it', () => {
    expect(patched('{"name":"a","type":"file","size":7,"links":1,"content":[]}', { size: 0 })).toBe(
      '{"name":"a","type":"file","links":1,"content":[]}',
    );
    expect(patched('{"name":"a","type":"file","inode":5,"content":[]}', { size: 9 })).toBe(
      '{"name":"a","type":"file","inode":5,"size":9,"content":[]}',
    );
    expect(patched('{"name":"d","type":"dir","content":null}', { subtree: id('3') })).toBe(
      `{"name":"d","type":"dir","content":null,"subtree":"${'3'.repeat(64)}"}`,
    );
    expect(patched('{"name":"d","error":"e"}', { content: Buffer.alloc(0) })).toBe('{"name":"d","content":[],"error":"e"}');
  });

  test('puts one field in the place of several of the same name, also when one is written with escapes', () => {
    expect(patched('{"size":1,"name":"a","\\u0073ize":2,"size":3}', { size: 4 })).toBe('{"size":4,"name":"a"}');
    expect(patched('{}', { size: 1 })).toBe('{"size":1}');
    expect(patched('{ }', {})).toBe('{}');
  });

  test('gives what formatting the changed node gives, where the node was written by this program or by restic', () => {
    const text = `{"name":"f","type":"file","mode":420,"mtime":"2026-01-02T03:04:05.5+01:00","atime":"2026-01-02T03:04:05.5+01:00","ctime":"2026-01-02T03:04:05.5+01:00","uid":1,"gid":2,"user":"u","inode":9,"device_id":7,"size":10,"links":1,"content":["${'ab'.repeat(32)}"]}`;
    const zone = new TimeFormat(() => 60);
    expect(formatNode(parseNode(Buffer.from(text)), zone)).toBe(text);
    for (const size of [0, 4]) {
      const node = parseNode(Buffer.from(text));
      node.size = size;
      node.content = id('4');
      expect(patched(text, { size, content: id('4') })).toBe(formatNode(node, zone));
    }
  });

  test('refuses what is no object', () => {
    for (const text of ['', 'null', '7', '[]', '{"name"', '{"name":}', '{"a":1,}'])
      expect(() => patched(text, { size: 1 }), text).toThrow(expect.objectContaining({ code: 'tree-invalid' }));
  });
});
