import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { childrenOf, parseXml, textOf, type XmlElement } from '../../../src/storage/objects/xml.ts';

test('reads what services of objects send', () => {
  const root = parseXml(
    `\ufeff<?xml version="1.0" encoding="UTF-8"?>
    <!-- a remark with <tags> & -->
    <s3:List xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/" a='>'>
      <Contents><Key>a&amp;b&lt;&gt;&quot;&apos;&#x20AC;&#8364; </Key><Size> 5 </Size></Contents>
      <Contents   ><Key><![CDATA[<&amp;]]>x</Key ><Empty/><Empty a="1" /></Contents>
    </s3:List>
  `.replace(` a='>'`, ''),
  );
  expect(root.name).toBe('List');
  const [first, second] = childrenOf(root, 'Contents') as [XmlElement, XmlElement];
  expect(first.children[0]!.text).toBe(`a&b<>"'€€ `);
  expect(textOf(first, 'Size')).toBe('5');
  expect(textOf(second, 'Key')).toBe('<&amp;x');
  expect(textOf(second, 'Empty')).toBe('');
  expect(textOf(second, 'Other')).toBeUndefined();
});

describe('refuses', () => {
  test.each([
    ['nothing', ''],
    ['text alone', 'Not found'],
    ['a document that ends early', '<a><b>text</b>'],
    ['a document that ends inside of a tag', '<a><b'],
    ['tags in the wrong order', '<a><b></a></b>'],
    ['an end without a beginning', '</a>'],
    ['two roots', '<a></a><b></b>'],
    ['text behind the root', '<a></a>text'],
    ['a document type, which could define entities', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['entities that it does not define', '<a>&b;</a>'],
    ['a lonely ampersand', '<a>b & c</a>'],
    ['characters that do not exist', '<a>&#x110000;</a>'],
    ['what is nested without end', '<a>'.repeat(100) + '</a>'.repeat(100)],
    ['a name of a prototype as an entity', '<a>&constructor;</a>'],
  ])('%s', (_, text) => {
    expect(() => parseXml(text)).toThrow(SyntaxError);
  });
});

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'<>&;"\' \n'),
    fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
  ),
});

test('gives back any text and structure', () => {
  const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
  const { element } = fc.letrec<{ element: { name: string; text: string; children: unknown[] } }>((tie) => ({
    element: fc.record({
      name: fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/),
      text: anyText,
      children: fc.oneof({ maxDepth: 4 }, fc.constant<unknown[]>([]), fc.array(tie('element'), { maxLength: 4 })) as fc.Arbitrary<
        unknown[]
      >,
    }),
  }));
  const write = ({ name, text, children }: XmlElement): string => `<${name}>${escape(text)}${children.map(write).join('')}</${name}>`;
  fc.assert(
    fc.property(element, (made) => {
      expect(parseXml(write(made as XmlElement))).toEqual(made);
    }),
    { numRuns: 50 },
  );
});

test('never fails but with a SyntaxError, whatever comes', () => {
  const pieces = fc.constantFrom('<', '>', '/', 'a', ' ', '&', ';', '#', 'x', '!', '--', '[CDATA[', ']]>', '?', '="', "'", ':');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      try {
        parseXml(parts.join(''));
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('takes time in proportion to the length of what comes', () => {
  for (const text of [
    '<a' + ' '.repeat(200_000),
    `<a>${'&'.repeat(200_000)}`,
    '<!--'.repeat(50_000),
    `<a ${'b="" '.repeat(50_000)}`,
    '<![CDATA['.repeat(30_000),
  ])
    expect(() => parseXml(text)).toThrow(SyntaxError);
});
