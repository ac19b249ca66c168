import { useLocation } from 'wouter';
import { PlanEditor } from './PlanEditor.tsx';
import { PlanList } from './PlanList.tsx';

/** What is protected, where to, when, and how long it is kept. */
export default function Plans() {
  const [path] = useLocation();
  const id = /^\/plans\/([0-9a-z-]+)$/.exec(path)?.[1];
  return id === undefined ? <PlanList /> : <PlanEditor key={id} id={id === 'new' ? undefined : id} />;
}
