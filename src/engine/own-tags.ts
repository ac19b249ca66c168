/** Tags that Holdfast gives to snapshots itself: by `strategy=full` a differential backup finds what to compare with. */
export type Strategy = 'incremental' | 'differential' | 'full';

/** How a snapshot was made. */
export const strategyTag = (strategy: Strategy): string => `strategy=${strategy}`;
/** With what a differential one was compared: the ID of a snapshot, at that time. */
export const baseTag = (id: string): string => `base=${id}`;

const patterns = [/^strategy=(incremental|differential|full)$/, /^base=[0-9a-f]{64}$/];

/** Which of them a tag is, by a number; -1 for a person's own. */
export const ownKind = (tag: string): number => patterns.findIndex((pattern) => pattern.test(tag));
