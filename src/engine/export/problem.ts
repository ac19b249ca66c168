/** What a ZIP lacks, or does not hold as the snapshot does. */
export interface ExportProblem {
  /** Absolute, in the snapshot. */
  readonly path: Uint8Array;
  /**
   * `damaged`: left out, the repository lacks its data. `unsupported`: left out, a ZIP cannot hold it. `metadata`: it is in the
   * ZIP, but the snapshot contradicts itself about it.
   */
  readonly kind: 'damaged' | 'unsupported' | 'metadata';
  readonly detail: string;
}
