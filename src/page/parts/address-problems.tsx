import { Notice } from './states.js';

/** @param problems as `AddressReader` names them */
export function AddressProblems({ problems }: { problems: readonly string[] }) {
  if (problems.length === 0) return null;
  return (
    <Notice kind="warning">
      This address has values that mean nothing here; defaults are used for: {problems.join(', ')}
    </Notice>
  );
}
