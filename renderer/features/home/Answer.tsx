import type { HomeFacts } from '../../../src/contract/home.ts';
import type { State } from '../../../src/contract/state.ts';
import { useNow } from '../../clock.ts';
import { StateDot } from '../../ui/StateDot.tsx';
import styles from './Answer.module.css';
import { answerWords } from './words.ts';

interface AnswerProps {
  readonly facts: HomeFacts;
  readonly state: State;
  readonly part: 'line' | 'reason';
}

/** The answer in one line, or what stands below it. */
export function Answer({ facts, state, part }: AnswerProps) {
  const now = useNow();
  const { condition, line, reason } = answerWords(facts, state, now);
  if (part === 'reason') return <span>{reason}</span>;
  return (
    <span className={styles.line}>
      <StateDot state={condition} size={26} />
      <span>{line}</span>
    </span>
  );
}
