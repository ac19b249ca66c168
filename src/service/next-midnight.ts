/** When tomorrow begins where this computer is: on a day without midnight (summer time may begin then), its first moment. */
export function nextMidnight(now: number): number {
  const date = new Date(now);
  date.setHours(24, 0, 0, 0);
  return date.getTime();
}
