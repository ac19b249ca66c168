import { useTranslation } from 'react-i18next';
import styles from './Chart.module.css';

interface ChartTableProps {
  readonly isOpen: boolean;
  readonly onToggle: (isOpen: boolean) => void;
  readonly columns: readonly string[];
  /** Newest first; asked for when the table is opened. */
  readonly rows: () => readonly (readonly string[])[];
}

/** What a chart shows, for those who prefer to read. */
export function ChartTable({ isOpen, onToggle, columns, rows }: ChartTableProps) {
  const { t } = useTranslation();
  return (
    <details className={styles.table} open={isOpen} onToggle={(event) => onToggle(event.currentTarget.open)}>
      <summary>{t('history.chart.table')}</summary>
      {isOpen ? (
        <div className={styles.tableRows} tabIndex={0} role="region" aria-label={columns.at(-1)}>
          <table>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows().map(([head, ...cells], i) => (
                <tr key={`${head} ${i}`}>
                  <th scope="row">{head}</th>
                  {cells.map((cell, j) => (
                    <td key={columns[j + 1]}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </details>
  );
}
