/**
 * Tags that Holdfast gives to snapshots itself: by `strategy=full` a differential backup finds what to compare with, by `plan=…`
 * retention and history know the snapshots of a plan.
 */
import type { Strategy } from '../contract/schedule.ts';

/** How a snapshot was made. */
export const strategyTag = (strategy: Strategy): string => `strategy=${strategy}`;
/** With what a differential one was compared: the ID of a snapshot, at that time. */
export const baseTag = (id: string): string => `base=${id}`;

/** What marks the snapshots of a plan, whatever it is called or holds by then; `plan` is its ID, a UUID. */
export const tagOfPlan = (plan: string): string => `plan=${plan}`;

const patterns = [/^strategy=(incremental|differential|full)$/, /^base=[0-9a-f]{64}$/, /^plan=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** Which of them a tag is, by a number; -1 for a person's own. */
export const ownKind = (tag: string): number => patterns.findIndex((pattern) => pattern.test(tag));
