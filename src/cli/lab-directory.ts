/** Where a laboratory stands, and whether it does. */
import { Option } from 'commander'
import { RunError } from '../core/config-error.ts'
import { type LaboratoryDescription, readLaboratory } from '../lab/laboratory-description.ts'
import type { CliContext } from './cli-context.ts'

const DIRECTORY_DEFAULT = '.candor/lab'

/** The option that every command of the group has. */
export function laboratoryDirectoryOption(): Option {
  return new Option('--directory <path>', 'where the laboratory stands').default(DIRECTORY_DEFAULT)
}

/** The option as it has to be typed again; empty for the default. */
export function formatDirectoryOption(directory: string): string {
  return directory === DIRECTORY_DEFAULT ? '' : ` --directory ${directory}`
}

/**
 * Finds the laboratory of a directory.
 *
 * @throws {RunError} When none stands there: no description, or its process is gone.
 */
export async function findLaboratory(context: CliContext, directory: string): Promise<LaboratoryDescription> {
  const laboratory = await readLaboratory(context.files, directory)
  if (await isAlive(context, laboratory)) return laboratory
  throw new RunError(
    `the laboratory in ${directory} is gone (process ${laboratory.pid} has ended)`,
    `Start one with: candor lab up${formatDirectoryOption(directory)}`,
  )
}

/** Process ids are used again: the process must also look like one of ours. */
async function isAlive(context: CliContext, laboratory: LaboratoryDescription): Promise<boolean> {
  const command = await context.processes.commandLine(laboratory.pid)
  return command !== undefined && /node|candor/.test(command[0] ?? '')
}
