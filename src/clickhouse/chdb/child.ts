/** What runs in the child process: the engine, told what to do by messages. It loads the library; nothing else does. */
import { constants, setPriority } from 'node:os';
import { Engine } from './engine.js';
import type { FromEngine, ToEngine } from './messages.js';

/** What is under way when the parent is gone may take so long to end; then the process ends without it. */
const ORPHAN_MS = 5_000;

// Scrapes are due at a time, merges are not. Threads that come later inherit it.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

// Ctrl-C in a terminal, and service managers, signal all processes of the group: the parent says when to close.
process
  .on('SIGINT', () => {})
  .on('SIGTERM', () => {})
  .on('SIGHUP', () => {});

let engine: Promise<Engine> | undefined;

process.on('message', (message: ToEngine) => {
  switch (message.type) {
    case 'open':
      engine = open(message);
      engine.catch(ignore);
      return;
    case 'close':
      return void end();
    case 'credit':
      return void engine?.then((opened) => opened.credit(message.id, message.pages), ignore);
    case 'cancel':
      return void engine?.then((opened) => opened.cancel(message.id), ignore);
    default:
      return void engine?.then((opened) => opened.start(message), ignore);
  }
});

// Whatever ended the parent: another one needs the directory.
process.on('disconnect', () => void end());

async function open({ options }: Extract<ToEngine, { type: 'open' }>): Promise<Engine> {
  try {
    const opened = await Engine.open(options, send);
    send({ type: 'opened' });
    return opened;
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'CHDB_PLATFORM';
    send({ type: 'refused', reason: message, isTransient: !isMissing });
    throw error;
  }
}

async function end(): Promise<void> {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), ORPHAN_MS).unref();
  await engine?.then((opened) => opened.close(), ignore);
  process.exit();
}

function send(message: FromEngine): void {
  if (process.connected) process.send?.(message, undefined, {}, ignore);
}

/** A parent that is gone hears nothing; `disconnect` says so. */
function ignore(): void {}
