import { Button, Checkbox, Collapse, NumberInput, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSettled } from '../../clock.ts';
import { api } from '../../api.ts';
import { ErrorMessage } from '../../ui/ErrorMessage.tsx';
import { bytes, count } from '../../ui/format.ts';
import { shown } from '../../ui/path-words.ts';
import { useSheet } from '../../ui/use-sheet.ts';
import { VirtualList } from '../../ui/VirtualList.tsx';
import { type Draft, linesOf } from './draft.ts';
import styles from './PlanForm.module.css';

interface PartProps {
  readonly draft: Draft;
  readonly onChange: (part: Partial<Draft>) => void;
}

/** See the engine's exclude-presets.ts. */
const presets = ['caches', 'temporary', 'trash', 'node_modules', 'python', 'toolchains', 'system'] as const;

/** What is left out, and exactly what that means. */
export function Excludes({ draft, onChange }: PartProps) {
  const { t } = useTranslation();
  const { excludes } = draft;
  const [patterns, setPatterns] = useState(excludes.patterns.join('\n'));
  const [isShown, setShown] = useState(false);
  const change = (part: Partial<Draft['excludes']>): void => onChange({ excludes: { ...excludes, ...part } });
  return (
    <div className={styles.part}>
      <h3>{t('plans.excludes.title')}</h3>
      <div className={styles.presets}>
        {presets.map((preset) => (
          <Checkbox
            key={preset}
            checked={excludes.presets.includes(preset)}
            label={t(`plans.excludes.preset.${preset}`)}
            onChange={(event) =>
              change({
                presets: event.currentTarget.checked ? [...excludes.presets, preset] : excludes.presets.filter((each) => each !== preset),
              })
            }
          />
        ))}
      </div>
      <Checkbox
        mt="sm"
        checked={excludes.caches}
        label={t('plans.excludes.caches')}
        description={t('plans.excludes.cachesText')}
        onChange={(event) => change({ caches: event.currentTarget.checked })}
      />
      <Checkbox
        mt="sm"
        checked={excludes.oneFileSystem}
        label={t('plans.excludes.oneFileSystem')}
        description={t('plans.excludes.oneFileSystemText')}
        onChange={(event) => change({ oneFileSystem: event.currentTarget.checked })}
      />
      <NumberInput
        mt="sm"
        maw={240}
        label={t('plans.excludes.largerThan')}
        placeholder={t('plans.excludes.noLimit')}
        suffix={`\u00a0${t('plans.excludes.megabytes')}`}
        min={1}
        value={excludes.largerThan === null ? '' : Math.round(excludes.largerThan / 1e6)}
        onChange={(size) => change({ largerThan: size === '' ? null : Math.max(1, Number(size)) * 1_000_000 })}
      />
      <Textarea
        mt="sm"
        maw={560}
        autosize
        minRows={2}
        maxRows={10}
        label={t('plans.excludes.patterns')}
        description={t('plans.excludes.patternsText')}
        value={patterns}
        spellCheck={false}
        onChange={(event) => {
          setPatterns(event.currentTarget.value);
          change({ patterns: linesOf(event.currentTarget.value) });
        }}
      />
      <Button mt="sm" variant="subtle" aria-expanded={isShown} disabled={draft.sources.length === 0} onClick={() => setShown(!isShown)}>
        {t('plans.excludes.preview')}
      </Button>
      <Collapse expanded={isShown}>{isShown && draft.sources.length > 0 ? <Preview draft={draft} /> : null}</Collapse>
    </div>
  );
}

function Preview({ draft }: { readonly draft: Draft }) {
  const { t } = useTranslation();
  const wanted = useSettled(
    JSON.stringify({
      sources: draft.sources,
      excludes: draft.excludes,
      destinations: draft.destinations.map(({ destination }) => destination),
    }),
    600,
  );
  const { rows, page, isComplete, error, onRange } = useSheet(wanted, {
    begin: (signal) => api.files.protection.begin(JSON.parse(wanted) as Pick<Draft, 'sources' | 'excludes'>, { signal }),
    page: (sheet, after, signal) => api.files.protection.page({ sheet, after, limit: 500 }, { signal }),
    end: (sheet) => api.files.protection.end({ sheet }),
  });
  if (error !== undefined) return <ErrorMessage error={error} isUrgent={false} />;
  return (
    <div className={styles.preview}>
      <p role="status">
        {page
          ? t(isComplete ? 'plans.preview.done' : 'plans.preview.counting', {
              files: count(page.summary.files),
              size: bytes(page.summary.bytes),
              left: count(page.counted),
            })
          : t('ui.loading')}
      </p>
      {rows.length > 0 ? (
        <div className={styles.list}>
          <VirtualList
            label={t('plans.preview.label')}
            count={rows.length}
            rowHeight={36}
            onRange={onRange}
            row={(index) => {
              const row = rows[index];
              return row ? (
                <div className={styles.left}>
                  <span className={styles.path}>{shown(row.path)}</span>
                  <span className="secondary">
                    {row.leftOut === null
                      ? t('plans.preview.protected')
                      : t(`plans.preview.reason.${row.leftOut.reason}`, { detail: shown(row.leftOut.detail) })}
                  </span>
                </div>
              ) : null;
            }}
          />
        </div>
      ) : null}
      {isComplete && rows.length === 0 ? <p className="secondary">{t('plans.preview.nothing')}</p> : null}
    </div>
  );
}
