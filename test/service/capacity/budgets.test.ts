import { expect, test } from 'vitest';
import type { Growth } from '../../../src/contract/capacity.ts';
import type { Usage } from '../../../src/contract/cost.ts';
import { budgetStates } from '../../../src/service/capacity/budgets.ts';
import { monthMs } from '../../../src/service/capacity/growth.ts';
import { shippedPrices } from '../../../src/service/capacity/shipped-prices.ts';

const now = 1_800_000_000_000;
const usage: Usage = {
  bytes: 100e9,
  objects: 4000,
  runsPerMonth: 30,
  storedPerMonth: 0,
  deletedPerMonth: 0,
  writesPerMonth: 0,
  readsPerMonth: 0,
};
const growing = (likely: number): Growth => ({ likely, low: likely / 2, high: likely * 2, days: 60 });
const r2 = shippedPrices.find(({ id }) => id === 'r2')!;

test('a budget of bytes is near from nine tenths on, and when a month is left', () => {
  const at = (bytes: number, growth: Growth | null) => budgetStates({ bytes, money: null }, usage, growth, undefined, now)[0];
  expect(at(200e9, null)).toMatchObject({ level: 'fine', used: 100e9, passedAt: null });
  expect(at(111e9, null)).toMatchObject({ level: 'near' });
  expect(at(112e9, null)).toMatchObject({ level: 'fine' });
  expect(at(99e9, null)).toMatchObject({ level: 'passed', passedAt: null });
  expect(at(200e9, growing(50e9)).passedAt).toBeCloseTo(now + 2 * monthMs, -4);
  expect(at(200e9, growing(50e9)).level).toBe('fine');
  expect(at(140e9, growing(50e9))).toMatchObject({ level: 'near' });
  expect(at(200e9, growing(-50e9))).toMatchObject({ level: 'fine', passedAt: null });
});

test('a budget of money follows what the larger size will cost', () => {
  // 90 GB beyond the free ones at 0.015.
  const at = (amount: number, growth: Growth | null) =>
    budgetStates({ bytes: null, money: { amount, currency: 'USD' } }, usage, growth, r2, now)[0];
  expect(at(10, null).used).toBeCloseTo(1.35, 10);
  expect(at(1.3, null).level).toBe('passed');
  expect(at(1.4, null).level).toBe('near');
  // 2.70 dollars are 190 GB.
  expect(at(2.7, growing(45e9)).passedAt).toBeCloseTo(now + 2 * monthMs, -4);
});

test('a budget of money counts only in the currency of the price, and where something is paid', () => {
  const budget = { bytes: null, money: { amount: 1, currency: 'EUR' } };
  expect(budgetStates(budget, usage, null, r2, now)).toEqual([]);
  expect(budgetStates(budget, usage, null, undefined, now)).toEqual([]);
});
