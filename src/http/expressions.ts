import { PromqlError } from '../query/expression.js';
import { parseSelector } from '../query/selectors.js';
import { ApiError, badParameter } from './api-error.js';
import type { Parameters } from './parameters.js';

/** What `read` gives of an expression that is a request's query. @throws {ApiError} with its error as it is */
export function readQuery<Result>(read: () => Result): Result {
  return asApiError(read, (message) => new ApiError('bad_data', message));
}

/** The selectors of `match[]`. @throws {ApiError} */
export function matchParameters(parameters: Parameters) {
  return asApiError(
    () => parameters.all('match[]').map(parseSelector),
    (message) => badParameter('match[]', message),
  );
}

export function asApiError<Result>(read: () => Result, errorOf: (message: string) => ApiError): Result {
  try {
    return read();
  } catch (error) {
    throw error instanceof PromqlError ? errorOf(error.message) : error;
  }
}
