import { expect, test } from 'vitest';
import { placeBelow, sourcePlaces } from '../../../src/engine/rewrite/source-places.ts';

/** The paths of all places, those of sources with a star. */
function placesOf(paths: readonly string[]): string[] {
  const found: string[] = [];
  const walk = (place: ReturnType<typeof sourcePlaces>, path: string): void => {
    if (place.isSource || place.below.size === 0) found.push(`${path || '/'}${place.isSource ? '*' : ''}`);
    for (const [name, below] of place.below) walk(below, `${path}/${name}`);
  };
  walk(sourcePlaces(paths), '');
  return found;
}

test('sources lie where their paths lead, one inside another too', () => {
  expect(placesOf(['/home/u/docs', '/home/u', '/srv//x/'])).toEqual(['/home/u*', '/home/u/docs*', '/srv/x*']);
  expect(placesOf(['/'])).toEqual(['/*']);
  expect(placesOf([])).toEqual(['/']);
});

test('a Windows path lies below the letter of its drive', () => {
  expect(placesOf(['C:\\Users\\me', 'D:/data'])).toEqual(['/C/Users/me*', '/D/data*']);
});

test('a name that is not UTF-8 is found by how paths in snapshots show it', () => {
  const root = sourcePlaces(['/caf\\xe9/x']);
  expect(placeBelow(placeBelow(root, Buffer.from('caf\xe9', 'latin1')), Buffer.from('x'))?.isSource).toBe(true);
  expect(placeBelow(root, Buffer.from('other'))).toBeUndefined();
  expect(placeBelow(undefined, Buffer.from('x'))).toBeUndefined();
});
