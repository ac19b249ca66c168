import { Button, Radio } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { api } from '../../api.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { list } from '../../ui/format.ts';
import { say } from '../../ui/messages.ts';

/** Deletes a plan; its snapshots stay unless the person says otherwise. */
export function RemovePlan({ id, name }: { readonly id: string; readonly name: string }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [isOpen, setOpen] = useState(false);
  const [data, setData] = useState<'keep' | 'forget'>('keep');
  return (
    <>
      <Button mt="lg" variant="default" onClick={() => setOpen(true)}>
        {t('plans.remove.act')}
      </Button>
      <Confirm
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        question={t('plans.remove.question', { name })}
        verb={t(data === 'keep' ? 'plans.remove.act' : 'plans.remove.actForget')}
        isDestructive={data === 'forget'}
        act={async () => {
          const { notReached, snapshotsForgotten } = await api.plans.remove({ id, data });
          const done =
            data === 'keep' ? t('plans.remove.kept', { name }) : t('plans.remove.forgotten', { name, count: snapshotsForgotten });
          say(notReached.length === 0 ? done : t('plans.remove.notReached', { done, names: list(notReached) }));
          go('/plans');
        }}
      >
        <Radio.Group aria-label={t('plans.remove.data')} value={data} onChange={(next) => setData(next as 'keep' | 'forget')}>
          <Radio mt="sm" value="keep" label={t('plans.remove.keep')} description={t('plans.remove.keepText')} />
          <Radio mt="sm" value="forget" label={t('plans.remove.forget')} description={t('plans.remove.forgetText')} />
        </Radio.Group>
      </Confirm>
    </>
  );
}
