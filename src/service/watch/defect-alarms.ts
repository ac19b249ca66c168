/** Changes that a plan's watch has missed, as alarms: nothing is lost, but somebody may know why it happened. */
import type { Plan } from '../../contract/plan.ts';
import type { Alarm } from '../../contract/state.ts';
import { counted } from '../../platform/sizes.ts';
import type { JournalDefects } from './journal-defects.ts';

export function defectAlarms(plans: readonly Plan[], defects: Pick<JournalDefects, 'of'>): Alarm[] {
  return plans.flatMap(({ id, name }) => {
    const defect = defects.of(id);
    if (!defect) return [];
    const { at, count, folders } = defect;
    const where = count === 1 ? folders[0] : `${counted(count, 'folder')}, ${folders[0]} among them`;
    return [
      {
        key: `watch ${id}`,
        kind: 'watch',
        plan: id,
        destination: null,
        since: at,
        message:
          `Changes in ${where} had gone unnoticed by “${name}” until it looked at everything. Its newest backup holds them. ` +
          'Until none has been missed for a week, each of its runs looks at everything, which takes longer.',
        guidance: `Nothing needs to be done. If you know why, such as a clock that was set, let it go by what it watches again: holdfast plan trust "${name}".`,
      },
    ];
  });
}
