import { describe, expect, it } from 'vitest';
import { formatNode, formatTree, TreeWriter } from '../../../src/repository/tree/format.ts';
import { TimeFormat } from '../../../src/repository/tree/go-time.ts';
import type { Node } from '../../../src/repository/tree/node.ts';

const utc = new TimeFormat(() => 0);
const ID = '00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210';

const plain: Node = {
  name: Buffer.from('a'),
  type: 'fifo',
  mode: 0,
  mtimeNs: 0n,
  atimeNs: 0n,
  ctimeNs: 0n,
  uid: 0,
  gid: 0,
  user: '',
  group: '',
  inode: 0n,
  deviceId: 0n,
  size: 0,
  links: 0,
  linkTarget: undefined,
  xattrs: [],
  genericAttributes: undefined,
  device: 0n,
  content: null,
  subtree: null,
  error: undefined,
};
const format = (fields: Partial<Node>): string => formatNode({ ...plain, ...fields }, utc);
const EPOCH = '1970-01-01T00:00:00Z';
const HEAD = `{"name":"a","type":"fifo","mtime":"${EPOCH}","atime":"${EPOCH}","ctime":"${EPOCH}","uid":0,"gid":0`;

describe('the text of a node', () => {
  it('leaves out all that is empty, but not times, owner and content', () => {
    expect(format({})).toBe(`${HEAD},"content":null}`);
    expect(format({ linkTarget: Buffer.alloc(0), error: '' })).toBe(`${HEAD},"content":null}`);
  });

  it('has all fields in the order of restic', () => {
    const text = format({
      type: 'dir',
      mode: 2_147_484_141,
      mtimeNs: 1n,
      ctimeNs: 2n,
      uid: 4_294_967_295,
      gid: 1,
      user: 'u<',
      group: 'g"',
      inode: 2n ** 64n - 1n,
      deviceId: 2n ** 53n + 1n,
      size: 3,
      links: 4,
      linkTarget: Buffer.from('to & fro'),
      xattrs: [
        { name: Buffer.from('user.b'), value: Buffer.from('v') },
        { name: Buffer.from('user.a'), value: Buffer.alloc(0) },
        { name: Buffer.from('user.\xff', 'latin1'), value: null },
      ],
      genericAttributes: '{"windows.file_attributes":32}',
      device: 5n,
      content: Buffer.from(ID + ID, 'hex'),
      subtree: Buffer.from(ID, 'hex'),
      error: 'no\n',
    });
    expect(text).toBe(
      '{"name":"a","type":"dir","mode":2147484141,"mtime":"1970-01-01T00:00:00.000000001Z","atime":"1970-01-01T00:00:00Z",' +
        '"ctime":"1970-01-01T00:00:00.000000002Z","uid":4294967295,"gid":1,"user":"u\\u003c","group":"g\\"",' +
        '"inode":18446744073709551615,"device_id":9007199254740993,"size":3,"links":4,"linktarget":"to \\u0026 fro",' +
        '"extended_attributes":[{"name":"user.b","value":"dg=="},{"name":"user.a","value":""},{"name":"user.\\ufffd","value":null}],' +
        `"generic_attributes":{"windows.file_attributes":32},"device":5,"content":["${ID}","${ID}"],"subtree":"${ID}","error":"no\\n"}`,
    );
  });

  it('has the content of an empty file as an empty list', () => {
    expect(format({ content: Buffer.alloc(0) })).toBe(`${HEAD},"content":[]}`);
    expect(format({ content: Buffer.from(ID, 'hex') })).toBe(`${HEAD},"content":["${ID}"]}`);
  });

  it('has the raw link target too, if it is not UTF-8', () => {
    expect(format({ linkTarget: Buffer.from('2e2e2fff', 'hex') })).toBe(
      `${HEAD},"linktarget":"../\\ufffd","linktarget_raw":"Li4v/w==","content":null}`,
    );
    expect(format({ linkTarget: Buffer.from('\u2028\ufffd') })).toBe(`${HEAD},"linktarget":"\\u2028\ufffd","content":null}`);
  });
});

describe('the text of a tree', () => {
  it('is the list of the nodes and a newline', () => {
    expect(formatTree([]).toString()).toBe('{"nodes":[]}\n');
    expect(formatTree(['{"a":1}', '{"b":"é"}']).toString()).toBe('{"nodes":[{"a":1},{"b":"é"}]}\n');
  });

  it('takes unchanged nodes as bytes, in any mixture', () => {
    const bytes = (text: string): Buffer => Buffer.from(text);
    expect(formatTree([bytes('{"a":"é"}')]).toString()).toBe('{"nodes":[{"a":"é"}]}\n');
    expect(formatTree([bytes('1'), bytes('2'), '3', '4', bytes('5'), '6']).toString()).toBe('{"nodes":[1,2,3,4,5,6]}\n');
  });

  it('is whole where the text is much longer than one batch', () => {
    const nodes = Array.from({ length: 5000 }, (_, n) => `{"name":"😀${n}${'x'.repeat(n % 100)}"}`);
    const blob = formatTree(nodes);
    expect(blob.toString()).toBe(`{"nodes":[${nodes.join(',')}]}\n`);
    const writer = new TreeWriter();
    for (const [n, node] of nodes.entries()) writer.add(n % 7 === 0 ? Buffer.from(node) : node);
    expect(writer.finish().equals(blob)).toBe(true);
  });
});
