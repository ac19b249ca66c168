/** What a person is told after a check. */
import type { CheckResult } from '../engine/check/check.ts';
import type { Finding } from '../engine/check/finding.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Output } from './output.ts';
import { counted, formatBytes } from '../platform/sizes.ts';

/** What a person is told of a finding. */
export const findingLines = ({ severity, message, paths }: Finding): string[] => [
  `${severity === 'error' ? 'DAMAGE' : severity === 'warning' ? 'warning' : 'note'}: ${message}`,
  ...paths.map((path) => `  harms ${path}`),
];

/** Tells the findings and the sum; returns the exit code: errors mean that something cannot be restored. */
export function reportCheck(output: Output, result: CheckResult): ExitCode {
  output.endProgress();
  const { findings, errors, warnings, notes, snapshots, packs, packsRead, bytesRead, trees, indexFiles } = result;
  for (const finding of findings) {
    output.lines(...findingLines(finding));
    output.object('finding', finding);
  }
  const read = packsRead > 0 ? `; ${formatBytes(bytesRead)} of data read and proved` : '; the data itself was not read (see --read-data)';
  output.lines(`Checked ${counted(snapshots, 'snapshot')}, ${counted(packs, 'pack')}${read}.`);
  if (errors > 0) output.lines(`${counted(errors, 'error')}: what is named above cannot be restored from here. All else can.`);
  else output.lines(warnings > 0 ? `Nothing is lost; ${counted(warnings, 'warning')}.` : 'No errors were found.');
  output.object('summary', { errors, warnings, notes, snapshots, indexFiles, packs, trees, packsRead, bytesRead });
  return errors > 0 ? exitCodes.failed : exitCodes.done;
}
