import { createRequire } from 'node:module';

/** Packages of the engine's library, by platform: what chdb looks for, too. There is none for Alpine (musl) and Windows. */
const LIBRARIES: Readonly<Record<string, string>> = {
  'darwin-arm64': '@chdb/lib-darwin-arm64',
  'darwin-x64': '@chdb/lib-darwin-x64',
  'linux-arm64': '@chdb/lib-linux-arm64-gnu',
  'linux-x64': '@chdb/lib-linux-x64-gnu',
};

/** Whether the optional package is there, with its library for this platform. Looks for files alone: loading takes 200 MB. */
export function isChdbInstalled(): boolean {
  const library = LIBRARIES[`${process.platform}-${process.arch}`];
  if (library === undefined) return false;
  try {
    createRequire(createRequire(import.meta.url).resolve('chdb')).resolve(library);
    return true;
  } catch {
    return false;
  }
}
