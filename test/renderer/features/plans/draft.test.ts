import { expect, test } from 'vitest';
import { draftOf, inputOf, linesOf, missingOf, moveDestination, newDraft, withPrimary } from '../../../../renderer/features/plans/draft.ts';

const place = (destination: string, role: 'primary' | 'standby' | 'copy') => ({ destination, role });

test('there is exactly one primary, the first that takes runs, whatever is moved or removed', () => {
  const list = [place('a', 'primary'), place('b', 'standby'), place('c', 'copy')];
  expect(moveDestination(list, 1, 0)).toEqual([place('b', 'primary'), place('a', 'standby'), place('c', 'copy')]);
  expect(moveDestination(list, 0, -1)).toBe(list);
  expect(moveDestination(list, 2, 3)).toBe(list);
  expect(withPrimary(list.slice(1))).toEqual([place('b', 'primary'), place('c', 'copy')]);
  expect(withPrimary([place('c', 'copy')])).toEqual([place('c', 'primary')]);
});

test('what is missing is named, and what is complete is what the service takes', () => {
  const draft = newDraft([]);
  expect(missingOf(draft)).toEqual(['name', 'sources', 'destinations']);
  const whole = {
    ...draft,
    name: 'Documents',
    sources: [{ kind: 'folder', path: '/home/me' } as const],
    destinations: [place('a', 'primary')],
  };
  expect(missingOf(whole)).toEqual([]);
  expect(inputOf(whole)).toMatchObject({ name: 'Documents', enabled: true });
});

test('what the form does not show of a plan is not lost by editing it', () => {
  const plan = { id: 'p', ...newDraft([]), destinations: [place('a', 'primary')], onThisComputer: true };
  const { id: _, ...rest } = plan;
  expect(draftOf(plan)).toEqual(rest);
});

test('lines of a text area are trimmed, and empty ones left out', () => {
  expect(linesOf(' *.iso \n\n\t\n/a b\n')).toEqual(['*.iso', '/a b']);
});
