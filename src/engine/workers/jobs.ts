/** Everything that a worker can be asked to do. A job takes one argument and the worker's context, and is synchronous. */
import { countTrees } from '../backup/count-trees-job.ts';
import { estimate } from '../backup/estimate.ts';
import { bringPack, leaveOver } from '../backup/hand-over.ts';
import { scan } from '../backup/scan.ts';
import { beginScan } from '../backup/scan-state.ts';
import { assembleTree } from '../backup/store-tree.ts';
import { describeFolders, parentFolders } from '../backup/ancestors.ts';
import { folderPage } from '../browse/folder-job.ts';
import { readBlobs } from '../dump-job.ts';
import { checkIndexFile } from '../check/index-job.ts';
import { surveyIndex } from '../check/index-survey.ts';
import { verifyBlobs, verifyPacks } from '../check/pack-job.ts';
import { findPaths } from '../check/paths-job.ts';
import { findCandidates } from '../diff/candidates-job.ts';
import { findChanges } from '../diff/changes-job.ts';
import { tallyBlobs } from '../diff/figures.ts';
import { surveyDifference } from '../diff/survey-job.ts';
import { collectHits } from '../find/collect-job.ts';
import { spreadMarks } from '../find/marks.ts';
import { searchTrees } from '../find/search-job.ts';
import { findWanted } from '../find/wanted-job.ts';
import { arrangeCopy, assignTurn, takeBack } from '../copy/assign-job.ts';
import { compareTrees } from '../copy/compare-job.ts';
import { copyBlobs } from '../copy/copy-job.ts';
import { cutContents } from '../copy/cut-job.ts';
import { markToCopy } from '../copy/mark-job.ts';
import { recutTrees } from '../copy/recut-job.ts';
import { findFilesWith, takeFromFile } from '../heal/files-job.ts';
import { findMissing } from '../heal/missing-job.ts';
import { findSupply } from '../heal/supply-job.ts';
import { beginExportWalk, walkExport } from '../export/walk-job.ts';
import { zipEntries, zipPiece } from '../export/zip-job.ts';
import { loadIndexFile } from '../index/load-job.ts';
import { listTrees } from '../listing/list-job.ts';
import { listMore } from '../ls-job.ts';
import { hashOf, loadNamed } from '../move/load-job.ts';
import { packsOfIndexFile, repack } from '../prune/repack-job.ts';
import { copyPlaces, examinePacks } from '../repair/examine-job.ts';
import { lookAtPacks } from '../repair/look-job.ts';
import { describeTrees, findOrphanRoots } from '../repair/orphans-job.ts';
import { repairTrees } from '../repair/repair-trees-job.ts';
import { makeEmptyFiles, makeHardLinks, prepareFiles } from '../restore/files-job.ts';
import { finishFolders } from '../restore/folders-job.ts';
import { verifyFolders } from '../restore/verify-job.ts';
import { walkFolders } from '../restore/walk-job.ts';
import { writeBlobs } from '../restore/write-job.ts';
import { breakDown } from '../stats/breakdown-job.ts';
import { countContents } from '../stats/contents-job.ts';
import { countLinks } from '../stats/links-job.ts';
import { findOwners } from '../stats/owners-job.ts';
import { countBlobs } from '../stats/raw-job.ts';
import { countReferences } from '../stats/references-job.ts';
import { soleFolder } from '../stats/sole-folder-job.ts';
import { countTotals } from '../stats/totals-job.ts';
import { rewriteTrees } from '../rewrite/tree-job.ts';
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
  bringPack,
  leaveOver,
  beginScan,
  scan,
  assembleTree,
  countTrees,
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
  folderPage,
  listTrees,
  readBlobs,
  surveyDifference,
  findCandidates,
  findChanges,
  tallyBlobs,
  findWanted,
  searchTrees,
  spreadMarks,
  collectHits,
  findOwners,
  countBlobs,
  countTotals,
  countLinks,
  countContents,
  countReferences,
  soleFolder,
  breakDown,
  rewriteTrees,
  markToCopy,
  takeBack,
  assignTurn,
  arrangeCopy,
  copyBlobs,
  cutContents,
  recutTrees,
  compareTrees,
  loadNamed,
  hashOf,
  lookAtPacks,
  examinePacks,
  copyPlaces,
  findMissing,
  findSupply,
  findFilesWith,
  takeFromFile,
  repairTrees,
  findOrphanRoots,
  describeTrees,
  beginExportWalk,
  walkExport,
  zipEntries,
  zipPiece,
};
