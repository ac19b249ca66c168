import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { HomeFacts } from '../../../src/contract/home.ts';
import type { State } from '../../../src/contract/state.ts';
import { Note } from '../../ui/Note.tsx';
import styles from './MissingCopy.module.css';
import { missingStep } from './missing-step.ts';

/** How far a plan is from three copies on two media, one of them elsewhere; the worst one, with the step that is missing. */
export function MissingCopy({ facts, state }: { readonly facts: HomeFacts; readonly state: State }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const lacking = facts.plans
    // Before the first backup there is a nearer step.
    .filter(({ rule321, state: condition }) => !rule321.isMet && rule321.copies > 1 && condition !== 'off')
    .toSorted((a, b) => b.rule321.missing.length - a.rule321.missing.length)[0];
  const plan = state.plans.find(({ id }) => id === lacking?.plan);
  if (!lacking || !plan) return null;
  const { missing, copies } = lacking.rule321;
  const what = missing.includes('off-site') ? 'off-site' : missing.includes('medium') ? 'medium' : 'copy';
  return (
    <div className={styles.hint}>
      <Note
        kind="attention"
        title={t(`home.rule.${what}.title`)}
        action={
          <Button variant="default" onClick={() => go(missingStep(plan, what, state.destinations))}>
            {t(`home.rule.${what}.act`)}
          </Button>
        }
      >
        {t(`home.rule.${what}.text`, { plan: plan.name, count: copies - 1 })}
      </Note>
    </div>
  );
}
