/** The run of a move. */
import { moveRequestSchema } from '../../contract/moves.ts';
import type { TaskJob } from '../runs/task.ts';
import type { Outcome } from '../runs/work.ts';
import { type DestinationMoving, moveDestination } from './destination-move.ts';
import { movePlan, type PlanMoving } from './plan-move.ts';

export type Moving = DestinationMoving & PlanMoving;

/** A run that was cut off at any moment is simply run again: each step finds what was done. */
export async function workOnMove(job: TaskJob, moving: Moving): Promise<Outcome> {
  const request = moveRequestSchema.parse(moving.state.runDetails.request(job.run.id));
  return request.what === 'destination' ? moveDestination(job, request, moving) : movePlan(job, request, moving);
}
