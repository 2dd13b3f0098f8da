/** Runs `work` at most once: everyone who asks gets the same promise. */
export class Once<Result> {
  #result: Promise<Result> | undefined;

  run(work: () => Promise<Result>): Promise<Result> {
    this.#result ??= work();
    return this.#result;
  }
}
