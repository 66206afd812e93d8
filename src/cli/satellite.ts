/** The group `candor satellite`: interference with DNS, seen from outside. Its commands are files of their own. */
import type { Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { registerSatelliteConvert } from './satellite-convert.ts'
import { registerSatelliteDetect } from './satellite-detect.ts'
import { registerSatelliteExplain } from './satellite-explain.ts'
import { registerSatelliteImport } from './satellite-import.ts'
import { registerSatelliteReplay } from './satellite-replay.ts'
import { registerSatelliteParquet } from './satellite-parquet.ts'
import { registerSatelliteRun } from './satellite-run.ts'
import { registerSatelliteJudge } from './satellite-judge.ts'
import { registerSatelliteVerify } from './satellite-verify.ts'

/** Adds `candor satellite` with its commands. */
export function registerSatellite(program: Command, context: CliContext): void {
  const satellite = program.command('satellite').description('who interferes with DNS, seen from outside?')
  registerSatelliteRun(satellite, context)
  registerSatelliteReplay(satellite, context)
  registerSatelliteImport(satellite, context)
  registerSatelliteConvert(satellite, context)
  registerSatelliteDetect(satellite, context)
  registerSatelliteVerify(satellite, context)
  registerSatelliteJudge(satellite, context)
  registerSatelliteParquet(satellite, context)
  registerSatelliteExplain(satellite, context)
}
