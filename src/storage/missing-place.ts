/** Telling a place that is not there yet from one that fails. */
import { hasCode } from '../contract/errors.ts';

/** Whether an error says that the place itself is missing: its folder, or its bucket, which making a repository makes, too. */
export const isMissingPlace = (error: unknown): boolean => hasCode(error, 'storage-gone') || hasCode(error, 'bucket-missing');
