const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `15.1 MiB` */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** As a configuration file takes it, rounded up to whole units: `16MiB`. */
export function configBytes(bytes: number): string {
  const mebibytes = Math.ceil(bytes / 1024 ** 2);
  return mebibytes < 10_240 ? `${mebibytes}MiB` : `${Math.ceil(mebibytes / 1024)}GiB`;
}
