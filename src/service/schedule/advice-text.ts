/** Reasons of a proposal (advise.ts) in English, for the command line. */
import type { Advice } from './advise.ts';

export function adviceText(advice: Advice): string {
  switch (advice.code) {
    case 'interval':
      return `A run every ${long(advice.intervalMinutes * 60)}: to lose at most ${long(advice.rpoMinutes * 60)}, even when one run fails.`;
    case 'change-trigger':
      return `Also ${long(advice.delaySeconds)} after a change, since you want to lose at most ${long(advice.rpoMinutes * 60)}.`;
    case 'full-period':
      return `A full run every ${advice.period}: it reads everything again, which takes about ${long(advice.fullSeconds)}.`;
    case 'no-differential':
      return `No differential runs: ${size(advice.weekBytes)} of ${size(advice.sizeBytes)} change in a week, so they would cost as much as full ones.`;
    case 'primary':
      return `The first choice: everything is back from there in about ${long(advice.restoreSeconds)}; you want ${long(advice.rtoMinutes * 60)}.`;
    case 'off-site-copy':
      return `A copy away from home survives fire and theft. The first run takes about ${long(advice.firstSeconds)}.`;
    case 'further-copy':
      return 'A further copy, in case the first destination fails.';
    case 'too-slow-to-restore':
      return `Getting everything back from there takes about ${long(advice.restoreSeconds)}, longer than the ${long(advice.rtoMinutes * 60)} that you want.`;
    case 'too-slow-to-store':
      return `What changes in ${long(advice.intervalMinutes * 60)} takes about ${long(advice.runSeconds)} to store, too long to lose at most ${long(advice.rpoMinutes * 60)}.`;
    case 'same-disk':
      return 'It is in this computer: it does not survive a dead disk, fire or theft.';
    case 'drive-away':
      return `A drive must be plugged in at least every ${long(advice.rpoMinutes * 60)} to reach your target.`;
    case 'add-fast':
      return `Add a drive: everything is back from one in about ${long(advice.restoreSeconds)}; you want ${long(advice.rtoMinutes * 60)}.`;
    case 'add-off-site':
      return `Add a place away from home: nothing of the ${copies(advice.copies)} would survive a fire there.`;
    case 'add-copy':
      return `Add a second place: with ${copies(advice.copies)} one failure more and everything is gone.`;
  }
}

const copies = (count: number): string => (count === 1 ? 'one copy that there is' : `${count} copies that there are`);

function long(seconds: number): string {
  const units = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ] as const;
  const [length, name] = units.find(([each]) => seconds >= 2 * each || seconds === each) ?? units[3];
  const count = Math.round(seconds / length);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

function size(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${['bytes', 'kB', 'MB', 'GB', 'TB'][power]}`;
}
