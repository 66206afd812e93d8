/**
 * How property tests draw their cases: always the same in the gate, so that a failure is one of the change and not of
 * chance; new ones and more of them in `npm run fuzz`.
 */
import { configureGlobal } from 'fast-check'

const cases = Number(process.env['CANDOR_FUZZ_CASES'] ?? 100)
const seed = Number(process.env['CANDOR_FUZZ_SEED'] ?? 1)

configureGlobal({ numRuns: cases, seed })
