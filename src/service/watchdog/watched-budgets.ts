/** What the watchdog tells of budgets: those that are near or passed. */
import type { Capacities } from '../capacity/capacities.ts';
import type { WatchedBudget } from './watchdog.ts';

export const watchedBudgets = (capacities: Pick<Capacities, 'budgets'>): WatchedBudget[] =>
  capacities.budgets().flatMap(({ destination: { id, name }, state: { unit, level, used, limit, currency, passedAt } }) => {
    if (level === 'fine') return [];
    // As exact as it is told: what differs by less is no news.
    const rounded = unit === 'bytes' ? Math.round(used / 1e6) * 1e6 : Math.round(used * 100) / 100;
    const day = passedAt === null ? null : Math.round(passedAt / 86_400_000) * 86_400_000;
    return [{ destination: id, name, unit, level, used: rounded, limit, currency, passedAt: day }];
  });
