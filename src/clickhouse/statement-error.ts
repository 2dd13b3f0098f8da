/** What an engine's words about a failed statement mean. */
import { DatabaseError } from './database.js';

/**
 * Numbers of errors after which the same statement may work later: the engine is busy, starting, stopping, out of
 * memory, of disk, or of a connection to its peers. Names are those of ClickHouse's ErrorCodes.cpp.
 */
const TRANSIENT_CODES: ReadonlySet<number> = new Set([
  3, // UNEXPECTED_END_OF_FILE: a body that did not arrive whole
  159, // TIMEOUT_EXCEEDED
  164, // READONLY: of the server, while it is restored or its disk is checked
  198, // DNS_ERROR
  202, // TOO_MANY_SIMULTANEOUS_QUERIES
  203, // NO_FREE_CONNECTION
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  225, // NO_ZOOKEEPER
  236, // ABORTED
  241, // MEMORY_LIMIT_EXCEEDED
  242, // TABLE_IS_READ_ONLY: a replica without its Keeper
  243, // NOT_ENOUGH_SPACE
  252, // TOO_MANY_PARTS
  254, // NO_ACTIVE_REPLICAS
  279, // ALL_CONNECTION_TRIES_FAILED
  285, // TOO_FEW_LIVE_REPLICAS
  286, // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  289, // REPLICA_IS_NOT_IN_QUORUM
  290, // LIMIT_EXCEEDED
  319, // UNKNOWN_STATUS_OF_INSERT
  394, // QUERY_WAS_CANCELLED: by an operator, or by the shutdown
  425, // SYSTEM_ERROR
  439, // CANNOT_SCHEDULE_TASK
  473, // DEADLOCK_AVOIDED
  999, // KEEPER_EXCEPTION
]);

/** Files that cannot be opened, read, written: for good, unless it is the disk or a limit of the system. */
const PASSING_TROUBLE =
  /No space left on device|Disk quota exceeded|Too many open files|Cannot allocate memory/i;

const CODE = /^Code:\s*(\d+)\b/;
const ROW = /\(at row (\d+)\)/;

/** A `(version …)` at the end says nothing about what went wrong. */
const VERSION = /\s*\(version [^()]*(?:\([^()]*\))?\)\s*$/;

/** Longer texts quote the statement or the row at length. */
const MAX_MESSAGE_LENGTH = 2_000;

export interface Failure {
  readonly message: string;
  readonly code?: number | undefined;
  readonly failedAtRow?: number | undefined;
}

/** An error that an engine has answered. What its code and row are is read from its text where they are not given. */
export function answeredError(failure: Failure): DatabaseError {
  const { message } = failure;
  const code = failure.code ?? numberIn(CODE, message);
  const failedAtRow = failure.failedAtRow ?? numberIn(ROW, message);
  const isTransient = (code !== undefined && TRANSIENT_CODES.has(code)) || PASSING_TROUBLE.test(message);
  return new DatabaseError(shown(message), {
    ...(code === undefined ? {} : { code }),
    ...(failedAtRow === undefined ? {} : { failedAtRow }),
    isTransient,
  });
}

/** No engine answered. The same may work later, and may have worked. */
export function unansweredError(message: string): DatabaseError {
  return new DatabaseError(shown(message), { isTransient: true });
}

function numberIn(pattern: RegExp, text: string): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function shown(message: string): string {
  const text = message.replace(VERSION, '');
  return text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH)}…` : text;
}
