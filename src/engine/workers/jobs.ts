/** Everything that a worker can be asked to do. A job takes one argument and the worker's context, and is synchronous. */
import { estimate } from '../backup/estimate.ts';
import { beginScan, scan } from '../backup/scan.ts';
import { assembleTree } from '../backup/store-tree.ts';
import { describeFolders, parentTrees } from '../backup/ancestors.ts';
import { readBlobs } from '../dump-job.ts';
import { loadIndexFile } from '../index/load-job.ts';
import { listMore } from '../ls-job.ts';
import { finishFolders } from '../restore/folders-job.ts';
import { verifyFolders } from '../restore/verify-job.ts';
import { walkFolders } from '../restore/walk-job.ts';
import { makeEmptyFiles, makeHardLinks, prepareFiles, writeBlobs } from '../restore/write-job.ts';
import { findEntry } from '../snapshot-path-job.ts';
import { flush } from './flush.ts';

export const jobs = {
  flush,
  loadIndexFile,
  estimate,
  beginScan,
  scan,
  assembleTree,
  describeFolders,
  parentTrees,
  walkFolders,
  prepareFiles,
  writeBlobs,
  makeEmptyFiles,
  makeHardLinks,
  finishFolders,
  verifyFolders,
  findEntry,
  listMore,
  readBlobs,
};
