import { Button, Checkbox } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { SnapshotView } from '../../../src/contract/snapshots.ts';
import { api } from '../../api.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Confirm } from '../../ui/Confirm.tsx';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { bytes, date, list } from '../../ui/format.ts';
import { say } from '../../ui/messages.ts';
import { useAnswer } from '../../ui/use-answer.ts';

/** Deletes a snapshot everywhere, after it was said what that frees and what is lost. */
export function DeleteSnapshot({ snapshot }: { readonly snapshot: SnapshotView }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [isOpen, setOpen] = useState(false);
  const [isLastAllowed, setLastAllowed] = useState(false);
  const { value: plan, error } = useAnswer(isOpen ? snapshot.key : undefined, (signal) =>
    api.snapshots.planDelete({ snapshots: [snapshot.key] }, { signal }),
  );
  const frees = (plan?.destinations ?? []).reduce((sum, each) => sum + (each.frees ?? 0), 0);
  const isLast = (plan?.lastOf.length ?? 0) > 0;
  return (
    <>
      <Button variant="default" disabled={snapshot.pinned} onClick={() => setOpen(true)}>
        {t('history.delete.act')}
      </Button>
      {snapshot.pinned ? <span className="secondary">{t('history.delete.pinned')}</span> : null}
      <Confirm
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        question={t('history.delete.question', { date: date(snapshot.time) })}
        verb={t('history.delete.act')}
        isDestructive
        act={async () => {
          await api.snapshots.delete({ snapshots: [snapshot.key], allowLast: isLastAllowed });
          say(t('history.delete.begun'));
          go('/history');
        }}
      >
        {error === undefined ? null : <ErrorMessage error={error} />}
        {!plan && error === undefined ? <Bones rows={2} height={32} /> : null}
        {plan ? (
          <>
            <p>{t('history.delete.text', { size: bytes(frees) })}</p>
            {isLast ? (
              <>
                <p>{t('history.delete.last', { names: list(plan.lastOf) })}</p>
                <Checkbox
                  mt="sm"
                  checked={isLastAllowed}
                  onChange={(event) => setLastAllowed(event.currentTarget.checked)}
                  label={t('history.delete.allowLast')}
                />
              </>
            ) : null}
          </>
        ) : null}
      </Confirm>
    </>
  );
}
