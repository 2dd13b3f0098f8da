/** Milliseconds that this process has computed for: what work costs, however busy the machine is otherwise. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
