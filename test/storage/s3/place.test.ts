import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { parseS3Place, s3Location } from '../../../src/storage/s3/place.ts';

/** Of all characters, and often of those that mean something in an address. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'/:@?#%.[] \n\0'),
    fc.integer({ min: 1, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
  ),
});

const shown = (place: string): string => s3Location(parseS3Place(place));

test.each([
  // As restic's own tests write them.
  ['s3://eu-central-1/bucketname', 's3:https://s3.eu-central-1.amazonaws.com/bucketname'],
  ['s3:eu-central-1/foobar/prefix/directory/', 's3:https://s3.eu-central-1.amazonaws.com/foobar/prefix/directory'],
  ['s3:s3.amazonaws.com/bucket/prefix', 's3:https://s3.amazonaws.com/bucket/prefix'],
  ['s3:hostname.foo/foobar', 's3:https://hostname.foo/foobar'],
  ['s3:hostname.foo/foobar/prefix/directory', 's3:https://hostname.foo/foobar/prefix/directory'],
  ['s3:https://hostname/foobar', 's3:https://hostname/foobar'],
  ['s3:https://hostname:9999/foobar/', 's3:https://hostname:9999/foobar'],
  ['s3:http://hostname:9999/bucket/prefix/directory', 's3:http://hostname:9999/bucket/prefix/directory'],
  ['s3:https://HOSTNAME:443/bucket', 's3:https://hostname/bucket'],
  ['s3:http://[::1]:9000/bucket//a/./b//', 's3:http://[::1]:9000/bucket/a/b'],
  ['s3:http://127.0.0.1/old_Bucket.name/ä b+%', 's3:http://127.0.0.1/old_Bucket.name/ä b+%'],
])('%s is %s', (place, location) => {
  expect(shown(place)).toBe(location);
  expect(shown(location)).toBe(location);
});

test.each([
  's3:',
  's3:host',
  's3:https://host',
  's3:https://host/',
  's3:https:///bucket',
  's3:///bucket',
  's3:host/b',
  's3:host/-bucket',
  's3:host/buc ket',
  's3:host/bucket/a/../../other',
  's3:host/bucket/a\nb',
  's3:host/bucket/a\0b',
  `s3:host/bucket/${'x'.repeat(1000)}`,
  's3:host/bucket/\ud800',
  's3:ho st/bucket',
  's3:host:99999/bucket',
  's3:host:port/bucket',
  's3:https://host?x/bucket',
  's3:https://host#x/bucket',
  'rest:https://host/bucket',
])('%j is no place', (place) => {
  expect(() => parseS3Place(place)).toThrow(expect.objectContaining({ code: 'bad-usage' }));
});

describe('a key in the address', () => {
  test.each(['s3:https://AKID:topsecret@host/bucket', 's3:AKID:topsecret@host/bucket', 's3:https://AKID:top/secret@host/bucket'])(
    'is refused and not repeated: %s',
    (place) => {
      let error: unknown;
      try {
        // A slash in it ends the server's name early.
        parseS3Place(place);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ code: 'bad-usage' });
      expect(JSON.stringify(error)).not.toMatch(/secret|AKID/);
    },
  );
});

test('any text is a place or an error for a person', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      try {
        const location = shown(`s3:${text}`);
        expect(shown(location)).toBe(location);
      } catch (error) {
        expect(error).toBeInstanceOf(HoldfastError);
        expect((error as HoldfastError).code).toBe('bad-usage');
      }
    }),
    { numRuns: 300 },
  );
});
