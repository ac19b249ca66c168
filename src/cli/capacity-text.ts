/** Sizes, forecasts, costs and budgets in words. */
import type { BudgetState, Capacity, Forecast } from '../contract/capacity.ts';
import type { Estimate, PriceView } from '../contract/cost.ts';
import { counted, formatBytes, formatMoney } from '../platform/sizes.ts';
import { formatMoment } from './dates.ts';

const monthMs = 30.4375 * 86_400_000;

/** `about 5 months`: no more exactly than it is known. */
function span(ms: number): string {
  const months = ms / monthMs;
  if (months < 2) return `about ${counted(Math.max(1, Math.round((months * 30.4375) / 7)), 'week')}`;
  return months < 24 ? `about ${Math.round(months)} months` : `about ${Math.round(months / 12)} years`;
}

/** `full in about 5 months (between 4 and 8)`; undefined where there is nothing to say. */
export function forecastText(forecast: Forecast, now: number): string | undefined {
  switch (forecast.state) {
    case 'unknown':
    case 'no-limit':
      return undefined;
    case 'steady':
      return 'it does not grow';
    case 'far':
      return 'room for ten years and more';
    case 'about': {
      const { at, earliest, latest } = forecast;
      if (at <= now) return 'full';
      const range =
        latest === null
          ? `${span(earliest - now)} at the earliest`
          : `${span(earliest - now)} to ${span(latest - now)}`.replace('to about ', 'to ');
      return `full in ${span(at - now)} (${range})`;
    }
  }
}

export function budgetText({ unit, used, limit, currency, level, passedAt }: BudgetState, now: number): string {
  const said = (value: number): string => (unit === 'bytes' ? formatBytes(value) : `${formatMoney(value, currency ?? '')} a month`);
  const stands = level === 'passed' ? 'passed' : level === 'near' ? 'nearly used up' : 'kept';
  const soon = passedAt === null ? '' : `; at the present growth passed in ${span(passedAt - now)}`;
  return `${said(used)} of ${said(limit)}: ${stands}${soon}`;
}

const nameOf = (id: string, prices: readonly PriceView[]): string => {
  const price = prices.find((each) => each.id === id);
  return price ? `${price.provider} ${price.name}` : id;
};

/** Of a month, as it was reckoned. */
function costLines({ price: id, currency, monthly, restore }: Estimate, isGuessed: boolean, prices: readonly PriceView[]): string[] {
  const parts = [
    `storage ${formatMoney(monthly.storage, currency)}`,
    `requests ${formatMoney(monthly.requests, currency)}`,
    ...(monthly.early > 0 ? [`deleted early at most ${formatMoney(monthly.early, currency)}`] : []),
    ...(monthly.minimum > 0 ? [`up to the monthly minimum ${formatMoney(monthly.minimum, currency)}`] : []),
  ];
  const asOf = prices.find((each) => each.id === id)?.asOf;
  return [
    `Cost: about ${formatMoney(monthly.total, currency)} a month by ${nameOf(id, prices)}${isGuessed ? ' (guessed from its place)' : ''}: ${parts.join(', ')}`,
    `Reading everything back once: about ${formatMoney(restore.total, currency)}`,
    ...(asOf ? [`Prices as of ${asOf}, before taxes; providers change them: see "holdfast prices list"`] : []),
  ];
}

/** How much there is, how it grows, what it costs, and how budgets stand. */
export function capacityLines(capacity: Capacity, prices: readonly PriceView[], now: number): string[] {
  const { now: size, growth, forecast, plans, cost, compared, budgets, usage } = capacity;
  if (!size) return ['It was not measured yet; that happens after the next run, or with --measure.'];
  const lines = [
    `Size: ${formatBytes(size.bytes)} in ${counted(size.snapshots, 'snapshot')}, measured ${formatMoment(size.measuredAt)}`,
    `Free: ${size.freeBytes === null ? 'not known' : formatBytes(size.freeBytes)}`,
    growth
      ? `Growth: about ${signed(growth.likely)} a month (${signed(growth.low)} to ${signed(growth.high)}), from ${Math.round(growth.days)} days`
      : 'Growth: not known yet; it takes two weeks of measurements',
  ];
  const full = forecastText(forecast, now);
  if (full !== undefined) lines.push(`Room: ${full}`);
  for (const { name, bytes, share } of plans) lines.push(`Stored by “${name}”: ${formatBytes(bytes)} (${Math.round(share * 100)} %)`);
  if (cost) lines.push(...costLines(cost.estimate, cost.isGuessed, prices));
  const [cheapest] = compared;
  if (cheapest && usage && usage.bytes > 0 && cheapest.price !== cost?.estimate.price && cost)
    lines.push(
      `The cheapest for this size and use, with one restore a year, is ${nameOf(cheapest.price, prices)}: about ${formatMoney(cheapest.monthly.total, cheapest.currency)} a month`,
    );
  for (const budget of budgets) lines.push(`Budget: ${budgetText(budget, now)}`);
  return lines;
}

const signed = (bytes: number): string => (bytes < 0 ? `-${formatBytes(-bytes)}` : formatBytes(bytes));
