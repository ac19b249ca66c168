import { useLocation } from 'wouter';
import { PlanEditor } from './PlanEditor.tsx';
import { PlanList } from './PlanList.tsx';

/** What is protected, where to, when, and how long it is kept. */
export default function Plans() {
  const [path] = useLocation();
  // With a destination behind it, that one is to be added as a copy.
  const [, id, added] = /^\/plans\/([0-9a-z-]+)(?:\/with\/([0-9a-z-]+))?$/.exec(path) ?? [];
  return id === undefined ? <PlanList /> : <PlanEditor key={path} id={id === 'new' ? undefined : id} added={added} />;
}
