import { open, rename } from 'node:fs/promises';

/**
 * Replaces a file so that it has its old content or its new one whenever the machine stops.
 * @param write is given the file that will take the place; what it throws leaves the old one as it is
 */
export async function replaceFile(
  path: string,
  write: (file: Awaited<ReturnType<typeof open>>) => Promise<void>,
): Promise<void> {
  const besides = `${path}.new`;
  const file = await open(besides, 'w');
  try {
    await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(besides, path);
}

/** Makes names just created or renamed in a directory outlive a power failure, where the system can do that. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => undefined);
  if (handle === undefined) return;
  await handle.sync().catch(() => {});
  await handle.close();
}
