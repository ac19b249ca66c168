/** Everything that a worker can be asked to do. A job takes one argument and the worker's context, and is synchronous. */
import { estimate } from '../backup/estimate.ts';
import { beginScan, scan } from '../backup/scan.ts';
import { assembleTree } from '../backup/store-tree.ts';
import { describeFolders, parentFolders } from '../backup/ancestors.ts';
import { readBlobs } from '../dump-job.ts';
import { checkIndexFile } from '../check/index-job.ts';
import { surveyIndex } from '../check/index-survey.ts';
import { verifyBlobs, verifyPacks } from '../check/pack-job.ts';
import { findPaths } from '../check/paths-job.ts';
import { beginExportWalk, walkExport } from '../export/walk-job.ts';
import { zipEntries, zipPiece } from '../export/zip-job.ts';
import { loadIndexFile } from '../index/load-job.ts';
import { listMore } from '../ls-job.ts';
import { packsOfIndexFile, repack } from '../prune/repack-job.ts';
import { makeEmptyFiles, makeHardLinks, prepareFiles } from '../restore/files-job.ts';
import { finishFolders } from '../restore/folders-job.ts';
import { verifyFolders } from '../restore/verify-job.ts';
import { walkFolders } from '../restore/walk-job.ts';
import { writeBlobs } from '../restore/write-job.ts';
import { countUnfolded } from '../trees/unfold-job.ts';
import { findEntry } from '../snapshot-path-job.ts';
import { markTrees } from '../trees/mark-job.ts';
import { flush } from './flush.ts';

export const jobs = {
  flush,
  loadIndexFile,
  markTrees,
  checkIndexFile,
  surveyIndex,
  verifyPacks,
  verifyBlobs,
  findPaths,
  repack,
  packsOfIndexFile,
  estimate,
  beginScan,
  scan,
  assembleTree,
  describeFolders,
  parentFolders,
  walkFolders,
  prepareFiles,
  writeBlobs,
  makeEmptyFiles,
  makeHardLinks,
  finishFolders,
  verifyFolders,
  countUnfolded,
  findEntry,
  listMore,
  readBlobs,
  beginExportWalk,
  walkExport,
  zipEntries,
  zipPiece,
};
