import { Button, Collapse, NumberInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Retention } from '../../../src/contract/plan.ts';
import { api } from '../../api.ts';
import { useNow, useSettled } from '../../clock.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { list, moment } from '../../ui/format.ts';
import { usePages } from '../../ui/use-pages.ts';
import { VirtualList } from '../../ui/VirtualList.tsx';
import type { Draft } from './draft.ts';
import styles from './PlanForm.module.css';

interface PartProps {
  readonly draft: Draft;
  /** Undefined for a new plan, which has no snapshots yet. */
  readonly id: string | undefined;
  readonly onChange: (part: Partial<Draft>) => void;
}

const rules = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

/** How many snapshots of which age are kept, with a preview of every one. */
export function RetentionForm({ draft, id, onChange }: PartProps) {
  const { t } = useTranslation();
  const { retention } = draft;
  const [isShown, setShown] = useState(false);
  const keepsAll = rules.every((rule) => retention[rule] === 0) && retention.within === null;
  return (
    <>
      <p className="secondary">{t(keepsAll ? 'plans.retention.all' : 'plans.retention.text')}</p>
      <RetentionNumbers retention={retention} onChange={(next) => onChange({ retention: next })} />
      {id === undefined ? null : (
        <>
          <Button mt="sm" variant="subtle" aria-expanded={isShown} onClick={() => setShown(!isShown)}>
            {t('plans.retention.preview')}
          </Button>
          <Collapse expanded={isShown}>{isShown ? <Preview id={id} draft={draft} /> : null}</Collapse>
        </>
      )}
    </>
  );
}

interface NumbersProps {
  readonly retention: Retention;
  readonly onChange: (retention: Retention) => void;
}

/** How many of which age. */
export function RetentionNumbers({ retention, onChange }: NumbersProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.numbers}>
      {rules.map((rule) => (
        <NumberInput
          key={rule}
          label={t(`plans.retention.rule.${rule}`)}
          min={-1}
          max={1_000_000}
          allowDecimal={false}
          value={retention[rule]}
          onChange={(next) => onChange({ ...retention, [rule]: next === '' ? 0 : Number(next) })}
        />
      ))}
    </div>
  );
}

function Preview({ id, draft }: { readonly id: string; readonly draft: Draft }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const settled = useSettled(JSON.stringify(draft.retention), 400);
  const { rows, page, error, onRange } = usePages(`${id} ${settled}`, async (cursor, signal) => {
    const after = cursor === undefined ? 0 : Number(cursor);
    const answer = await api.previews.retention(
      { plan: id, retention: JSON.parse(settled) as Draft['retention'], after, limit: 200 },
      { signal },
    );
    const reached = after + answer.rows.length;
    return { ...answer, next: answer.rows.length > 0 && reached < answer.kept + answer.removed ? String(reached) : null };
  });
  if (error !== undefined) return <ErrorMessage error={error} isUrgent={false} />;
  return (
    <div className={styles.preview}>
      <p role="status">{page ? t('plans.retention.sum', { kept: page.kept, removed: page.removed }) : t('ui.loading')}</p>
      {rows.length > 0 ? (
        <div className={styles.list}>
          <VirtualList
            label={t('plans.retention.preview')}
            count={rows.length}
            rowHeight={36}
            onRange={onRange}
            row={(index) => {
              const row = rows[index];
              return row ? (
                <div className={styles.left}>
                  <span className={styles.path}>{moment(row.snapshot.time, now)}</span>
                  <span className="secondary">
                    {row.reasons.length === 0
                      ? t('plans.retention.goes')
                      : t('plans.retention.stays', { reasons: list(row.reasons.map(({ rule }) => t(`plans.retention.reason.${rule}`))) })}
                  </span>
                </div>
              ) : null;
            }}
          />
        </div>
      ) : null}
    </div>
  );
}
