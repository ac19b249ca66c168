/** How budgets stand: pure. A budget warns; it never keeps a backup from being made. */
import type { Budget, BudgetState, Growth } from '../../contract/capacity.ts';
import type { Price, Usage } from '../../contract/cost.ts';
import { estimateOf } from './estimate.ts';
import { monthMs } from './growth.ts';

const nearFraction = 0.9;
const nearMs = 30 * 86_400_000;
const farMonths = 120;

/** `growth` null: nothing is known of it. A budget of money counts only in the currency of the price. */
export function budgetStates(budget: Budget, usage: Usage, growth: Growth | null, price: Price | undefined, now: number): BudgetState[] {
  const perMonth = Math.max(0, growth?.likely ?? 0);
  const states: BudgetState[] = [];
  if (budget.bytes !== null) states.push(stateOf('bytes', null, budget.bytes, (months) => usage.bytes + perMonth * months, perMonth, now));
  const { money } = budget;
  if (money && price && price.currency === money.currency) {
    // More bytes are more packs, too.
    const after = (months: number): Usage => {
      const bytes = usage.bytes + perMonth * months;
      return { ...usage, bytes, objects: usage.bytes === 0 ? usage.objects : (usage.objects * bytes) / usage.bytes };
    };
    states.push(stateOf('money', money.currency, money.amount, (months) => estimateOf(price, after(months)).monthly.total, perMonth, now));
  }
  return states;
}

/** `usedAfter` never falls with the months. */
function stateOf(
  unit: BudgetState['unit'],
  currency: string | null,
  limit: number,
  usedAfter: (months: number) => number,
  perMonth: number,
  now: number,
): BudgetState {
  const used = usedAfter(0);
  const isPassed = used > limit;
  const months = isPassed || perMonth === 0 ? null : monthsUntil(limit, usedAfter);
  const passedAt = months === null ? null : now + months * monthMs;
  const isNear = used >= limit * nearFraction || (passedAt !== null && passedAt - now <= nearMs);
  return { unit, used, limit, currency, level: isPassed ? 'passed' : isNear ? 'near' : 'fine', passedAt };
}

function monthsUntil(limit: number, usedAfter: (months: number) => number): number | null {
  if (usedAfter(farMonths) <= limit) return null;
  let [low, high] = [0, farMonths];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (usedAfter(middle) > limit) high = middle;
    else low = middle;
  }
  return high;
}
