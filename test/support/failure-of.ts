/** The code of the error with which a run ends; `no failure` when it ends without one. */
export const failureOf = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'no failure',
    (error: { code: string }) => error.code,
  );
