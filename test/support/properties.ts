/**
 * Generated cases. In CI every run has the same ones: a change is refused for what it changes, never for a case
 * that chance has found just then. Elsewhere every run has others, which is how such cases are found.
 */
import fc from 'fast-check';

if (process.env.CI === 'true') fc.configureGlobal({ seed: 2026 });

export default fc;
