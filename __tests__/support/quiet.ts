/**
 * Keeps what steps without a logger of their own write to the console out of the report of the tests.
 *
 * @module
 */

/** Takes in the console's warnings and errors in a test file that calls it. Restores it after each test. */
export function quietConsole(): void {
  beforeEach(() => {
    jest.spyOn(console, "warn").mockImplementation(() => {});
    jest.spyOn(console, "error").mockImplementation(() => {});
  });
  afterEach(() => jest.restoreAllMocks());
}
