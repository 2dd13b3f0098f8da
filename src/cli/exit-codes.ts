/** Exit codes of the contract. */
export const EXIT_FINE = 0;
export const EXIT_FAILED = 1;
export const EXIT_WRONG_USAGE = 2;
