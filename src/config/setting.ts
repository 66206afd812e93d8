/**
 * What a setting is: its name, its default, what values it takes, and the sentence that documents it. Flags, environment
 * variables, configuration keys, `--help` and the manual all come from these entries.
 *
 * Values come in as text (flags, environment) or as TOML values; each schema takes both.
 */
import { z } from 'zod'
import { parseDuration } from '../core/duration.ts'
import { checkLimit, type Limit } from '../core/limit.ts'
import { findNearestName } from '../core/nearest-name.ts'

/** One setting. */
export interface Setting<T> {
  /** Kebab case, the long flag without dashes: `build-delay`. The configuration key is the same with underscores. */
  readonly name: string
  /** The short flag, `-e`; absent for most. */
  readonly short?: string
  /** What stands for the value in `--help`: `seconds`; absent for switches. */
  readonly placeholder?: string
  /** Whether the flag may be given several times; its value is then a list. */
  readonly isList?: boolean
  /** Whether there is no flag, because anybody can read a process's arguments, and no command shows the value. */
  readonly isSecret?: boolean
  /** Turns what came in into the value. */
  readonly schema: z.ZodType<T>
  readonly default: T
  /** How the default is shown where it is not a plain value: `by profile`. */
  readonly defaultText?: string
  /** The keys of each table, where the value is an array of tables (`[[publish.stores]]`): no flag, no variable. */
  readonly tables?: readonly Setting<unknown>[]
  /** The bound, where there is one, in the unit of the limit. */
  readonly limit?: Limit
  /** One sentence, no capital at the start, no full stop. */
  readonly description: string
  /** A right value, for errors and for the manual. */
  readonly example: string
}

/** A group of settings: a table of the configuration file. */
export interface SettingGroup {
  /** `exits`; '' for the keys at the top of the file. */
  readonly table: string
  /** What the manual calls it: `\`candor exits run\``. */
  readonly title: string
  readonly settings: readonly Setting<unknown>[]
}

const TRUE = new Set(['true', 'yes', 'on', '1'])
const FALSE = new Set(['false', 'no', 'off', '0', ''])

/** A piece of text that is not empty. */
export const text: z.ZodType<string> = z.string('must be text').min(1, 'must not be empty')

/** Text, or `null` where nothing is given. */
export const optionalText: z.ZodType<string | null> = text.nullable()

/** Several pieces of text: a TOML array, or one text with commas between them. */
export const textList: z.ZodType<readonly string[]> = z
  .union([z.string(), z.array(z.string())], 'must be a list of texts')
  .transform((value) =>
    (typeof value === 'string' ? [value] : value)
      .flatMap((part) => part.split(','))
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )

/** A switch. */
export const flag: z.ZodType<boolean> = z
  .union([z.boolean(), z.string()], 'must be true or false')
  .transform((value, context) => {
    if (typeof value === 'boolean') return value
    const word = value.toLowerCase()
    if (TRUE.has(word)) return true
    if (FALSE.has(word)) return false
    context.addIssue({ code: 'custom', message: `is '${value}', neither true nor false` })
    return z.NEVER
  })

/** One of some words. */
export function choice<const T extends string>(words: readonly T[]): z.ZodType<T> {
  return z.enum(words, {
    error: (issue) => `is '${String(issue.input)}', which is none of ${words.join(', ')}`,
  })
}

/** A whole number within a limit. */
export function integer(limit: Limit): z.ZodType<number> {
  return numeric(limit, (value) => (/^\d{1,15}$/.test(value) ? Number(value) : Number.NaN), 1).refine(
    Number.isInteger,
    'must be a whole number',
  )
}

/** A duration: seconds as a number, or `500ms`, `2s`, `10m`, `6h`. The value is in milliseconds, as is the limit. */
export function duration(limit: Limit): z.ZodType<number> {
  return numeric(limit, parseDuration, 1000)
}

/** An array of tables that each have the same keys; what a table does not say has its default. */
export function tableList<T>(
  fields: { readonly [K in keyof T]: Setting<T[K]> },
  most: number,
): z.ZodType<readonly T[]> {
  const entries = Object.entries<Setting<unknown>>(fields)
  const known = entries.map(([, setting]) => keyOf(setting))
  const table = z.record(z.string(), z.unknown(), 'must be a list of tables')
  return z
    .array(table, 'must be a list of tables')
    .max(most, `has more than ${most} tables`)
    .transform((tables, context) =>
      tables.map((given, index) => {
        const complain = (key: string, message: string): void => {
          context.addIssue({ code: 'custom', message: `(table ${index + 1}): ${key} ${message}` })
        }
        for (const key of Object.keys(given).filter((name) => !known.includes(name))) {
          const nearest = findNearestName(key, known)
          complain(key, `is no key of it${nearest === undefined ? '' : `; ${nearest} is`}`)
        }
        const values = entries.map(([name, setting]) => {
          const value = given[keyOf(setting)]
          if (value === undefined) return [name, setting.default]
          const result = setting.schema.safeParse(value)
          if (!result.success) complain(keyOf(setting), result.error.issues.map(({ message }) => message).join('; '))
          return [name, result.data]
        })
        return Object.fromEntries(values) as T
      }),
    )
}

/** The name of a setting inside its table of the configuration file: `build_delay`. */
export function keyOf(setting: Setting<unknown>): string {
  return setting.name.replaceAll('-', '_')
}

function numeric(limit: Limit, parse: (value: string) => number, scale: number): z.ZodType<number> {
  return z.union([z.number(), z.string()], 'must be a number').transform((value, context) => {
    const number = typeof value === 'number' ? value * scale : parse(value.trim())
    try {
      if (Number.isNaN(number)) context.addIssue({ code: 'custom', message: `is '${value}', which is no such number` })
      else return checkLimit(limit, number, 'the value')
    } catch (error) {
      const { message } = error as Error
      context.addIssue({ code: 'custom', message: message.replace(/^the value /, '') })
    }
    return z.NEVER
  })
}

/** A setting that is text, and absent unless it is given. */
export function textSetting(
  name: string,
  description: string,
  example: string,
  defaultText?: string,
): Setting<string | null> {
  const setting = { name, placeholder: 'text', schema: optionalText, default: null, description, example }
  return defaultText === undefined ? setting : { ...setting, defaultText }
}

/** A setting that is a number within a limit, whose default it has. */
export function countSetting(name: string, limit: Limit, description: string): Setting<number> {
  return {
    name,
    placeholder: 'number',
    schema: integer(limit),
    default: limit.default,
    limit,
    description,
    example: String(limit.default),
  }
}
