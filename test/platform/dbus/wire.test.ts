import { describe, expect, test } from 'vitest';
import { decode, decodeMessage, encode, encodeMessage, type Message, messageTypes, Variant } from '../../../src/platform/dbus/wire.ts';

describe('values of D-Bus', () => {
  test.each([
    ['y', [255]],
    ['n', [-2]],
    ['b', [true]],
    ['x', [-(2n ** 62n)]],
    ['t', [2n ** 64n - 1n]],
    ['d', [0.1]],
    ['sog', ['grün 🙂', '/a/b', 'a{sv}']],
    [
      'ya(yx)',
      [
        1,
        [
          [2, 3n],
          [4, 5n],
        ],
      ],
    ],
    ['aas', [[['a'], [], ['b', 'c']]]],
    ['a{sas}', [[['k', ['v']]]]],
    ['yas', [7, []]],
  ])('of the signature %s come back as they were', (signature, values) => {
    expect(decode(signature, encode(signature, values), true)).toEqual(values);
  });

  test('in a variant are read as what is in it', () => {
    expect(decode('vv', encode('vv', [new Variant('s', 'x'), new Variant('a{sv}', [['k', new Variant('u', 3)]])]), true)).toEqual([
      'x',
      [['k', 3]],
    ]);
  });

  test('stand where the specification says: each at a multiple of its alignment', () => {
    // Of the specification, "Marshalling": the length of an array, then the padding of its items, which does not count.
    expect(encode('ax', [[5n]]).toString('hex')).toBe('08000000' + '00000000' + '0500000000000000');
    expect(encode('ys', [1, 'hi']).toString('hex')).toBe('01000000' + '02000000' + '686900');
  });

  test('are read in the byte order of whoever wrote them', () => {
    expect(decode('uqs', Buffer.from('0000000100020000000000026869 00'.replace(/ /g, ''), 'hex'), false)).toEqual([1, 2, 'hi']);
  });

  test.each(['z', 'a', '(s', '()', 'a{sv', 'a'.repeat(100) + 'y', '{}'])('of the signature %s are none', (signature) => {
    expect(() => decode(signature, Buffer.alloc(64), true)).toThrow(RangeError);
  });

  test.each([
    ['s', 'ffffffff61'],
    ['as', 'ffffff7f00'],
    ['u', '0000'],
    ['v', '02757500'],
    ['v', '0000'],
  ])('%s that ends early is refused', (signature, hex) => {
    expect(() => decode(signature, Buffer.from(hex, 'hex'), true)).toThrow(RangeError);
  });
});

describe('a message', () => {
  const message: Message = {
    type: messageTypes.call,
    serial: 9,
    path: '/p',
    interface: 'i.f',
    member: 'M',
    destination: 'd.e',
    signature: 'su',
    body: ['x', 1],
  };

  test('comes back as it was, also out of pieces and before another', () => {
    const bytes = Buffer.concat([encodeMessage(message), encodeMessage({ ...message, serial: 10 })]);
    const first = decodeMessage(bytes)!;
    expect(first.message).toEqual(message);
    expect(decodeMessage(bytes.subarray(first.length))!.message.serial).toBe(10);
    for (let length = 0; length < first.length; length++) expect(decodeMessage(bytes.subarray(0, length))).toBeUndefined();
  });

  test('that is none, or too long, is refused', () => {
    expect(() => decodeMessage(Buffer.alloc(16, 'x'))).toThrow(RangeError);
    const long = encodeMessage(message);
    long.writeUInt32LE(0xffff_ffff, 4);
    expect(() => decodeMessage(long)).toThrow(RangeError);
  });
});
