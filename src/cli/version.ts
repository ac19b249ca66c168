/** The version of this program; a test keeps it equal to package.json's. */
export const version = '0.1.0';
/** When this version was made; for the manual page. */
export const versionDate = '2026-11-21';
