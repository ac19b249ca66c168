import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatNode, formatTree } from '../../../src/repository/tree/format.ts';
import { TimeFormat } from '../../../src/repository/tree/go-time.ts';
import { parseTree } from '../../../src/repository/tree/parse.ts';
import { TreeRewriter } from '../../../src/repository/tree/rewrite-tree.ts';
import { arbitraryNodes } from './arbitrary-node.ts';

/** What becomes of a node: it stays, goes, or, a folder, gets another tree. */
type Fate = 'stay' | 'go' | 'change';

const other = Buffer.alloc(32, 0xab);

/** The new text, undefined when nothing changes; of `fates`, each in turn. */
function rewritten(text: Buffer, fates: readonly Fate[]): Buffer | undefined {
  const rewriter = new TreeRewriter(text, 'f'.repeat(64));
  for (let i = 0; ; i++) {
    const node = rewriter.next();
    if (!node) return rewriter.finish();
    if (fates[i] === 'go') rewriter.leaveOut();
    else if (fates[i] === 'change' && node.subtree) rewriter.changeSubtree(other);
  }
}

const codeOf = (text: string): string => {
  try {
    rewritten(Buffer.from(text), []);
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

const zone = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 }).map((minutes) => new TimeFormat(() => minutes));

test('a tree without some nodes, and with other subtrees, is the one that would have been written at once', () => {
  const fate = fc.constantFrom<Fate>('stay', 'go', 'change');
  fc.assert(
    fc.property(arbitraryNodes, fc.array(fate, { minLength: 6, maxLength: 6 }), zone, (nodes, fates, time) => {
      const text = formatTree(nodes.map((node) => formatNode(node, time)));
      const kept = nodes
        .map((node, i) => (fates[i] === 'change' && node.subtree ? { ...node, subtree: other } : node))
        .filter((_, i) => fates[i] !== 'go');
      const expected = formatTree(kept.map((node) => formatNode(node, time)));
      const made = rewritten(text, fates);
      const isChanged = fates.some((each, i) => nodes[i] && (each === 'go' || (each === 'change' && nodes[i].subtree)));
      expect(made === undefined).toBe(!isChanged);
      expect((made ?? text).equals(expected)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('what is handed out are the nodes of the tree', () => {
  fc.assert(
    fc.property(arbitraryNodes, (nodes) => {
      const text = formatTree(nodes.map((node) => formatNode(node)));
      const rewriter = new TreeRewriter(text, '');
      const names: Buffer[] = [];
      for (let node = rewriter.next(); node; node = rewriter.next()) names.push(node.name);
      expect(names).toEqual(parseTree(text).map(({ name }) => name));
    }),
  );
});

const node = (fields: string, times = ['2026-01-02T03:04:05.6Z', '2026-01-02T03:04:05+01:00', '0001-01-01T00:00:00Z']): string =>
  `{"name":"a","type":"file","mode":420,"mtime":"${times[0]}","atime":"${times[1]}","ctime":"${times[2]}","uid":0,"gid":0${fields}}`;
const tree = (...nodes: readonly string[]): string => `{"nodes":[${nodes.join(',')}]}\n`;
const file = ',"content":[]';
const timed = (time: string): string => tree(node(file, [time, time, time]));

describe('a tree that would not be written the same again is refused, so that nothing is lost', () => {
  test('an honest one is accepted', () => {
    expect(codeOf(tree(node(file)))).toBe('accepted');
    expect(codeOf(tree())).toBe('accepted');
    expect(codeOf(timed('9999-12-31T23:59:59.999999999-23:59'))).toBe('accepted');
  });

  test.each([
    ['a field that is not known', tree(node(`,"future":1${file}`))],
    ['a field in another order', tree(node(`${file},"size":3`))],
    ['a field twice', tree(node(`,"size":3,"size":3${file}`))],
    ['a field that is 0 and could be left out', tree(node(`,"size":0${file}`))],
    ['blanks', tree(node(file)).replace(':420', ': 420')],
    ['blanks between nodes', tree(node(file), ` ${node(file).replace('"a"', '"b"')}`)],
    ['blanks before the first node', tree(` ${node(file)}`)],
    ['blanks at the end', `${tree(node(file))} `],
    ['no line end', tree(node(file)).trimEnd()],
    ['another line end', tree(node(file)).replace('\n', '\r\n')],
    ['a field beside the list', `{"nodes":[${node(file)}],"version":2}\n`],
    ['a field before the list', `{"version":2,"nodes":[${node(file)}]}\n`],
    ['a list that is null', '{"nodes":null}\n'],
    ['an escape that is not needed', tree(node(file).replace('"a"', '"\\u0061"'))],
    ['a name that is quoted otherwise', tree(node(file).replace('"a"', '"\\\\x61"'))],
    ['a time with a zero at the end', timed('2026-01-02T03:04:05.60Z')],
    ['a time with more digits than a nanosecond', timed('2026-01-02T03:04:05.1234567891Z')],
    ['a time with an offset of zero', timed('2026-01-02T03:04:05+00:00')],
    ['a time with an offset of less than zero', timed('2026-01-02T03:04:05-00:00')],
    ['no time', tree(node(file).replace(/"atime":"[^"]*",/, ''))],
    ['times in another order', tree(node(file).replace(/("mtime":"[^"]*"),("atime":"[^"]*")/, '$2,$1'))],
  ])('%s', (_, text) => {
    expect(codeOf(text)).toBe('tree-unknown-form');
  });

  test('and what is no tree is called damaged', () => {
    for (const text of ['', 'x', '[]', tree(node('')), tree(node(file), node(file)), tree(node(file)).slice(0, -5)])
      expect(codeOf(text)).toBe('tree-invalid');
  });
});
