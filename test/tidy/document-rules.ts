/** What the documents must say about the code. Each rule returns what breaks it, as sentences. */
import type { SourceFile } from './source-tree.ts'

/** Detectors (`verdicts/` files that export a `detectX`) without a page in docs/detectors/. */
export function findDetectorsWithoutPage(
  files: readonly SourceFile[],
  pages: readonly SourceFile[],
): readonly string[] {
  const names = new Set(pages.map(({ path }) => path.slice(path.lastIndexOf('/') + 1).replace(/\.md$/, '')))
  return files
    .filter(({ path, text }) => path.startsWith('src/verdicts/') && /^export function detect[A-Z]/m.test(text))
    .map(({ path }) => path.slice(path.lastIndexOf('/') + 1).replace(/\.ts$/, ''))
    .filter((name) => !name.endsWith('.test') && !names.has(name))
    .map((name) => `the detector ${name} has no page docs/detectors/${name}.md`)
}

/** Names of the closed list of failures that the page about failures does not explain. */
export function findUnexplainedFailures(source: string, page: string): readonly string[] {
  const union = /export type Failure =([\s\S]*?)(?:\n\n|$)/.exec(source)?.[1] ?? ''
  const names = [...union.matchAll(/['`]([a-z_]+)['`:]/g)].map((match) => match[1] ?? '')
  if (names.length === 0) return ['the list of failures was not found']
  return names.filter((name) => !page.includes(`\`${name}`)).map((name) => `failures.md does not explain ${name}`)
}

/** Runtime dependencies without a line `| name | reason |` in the page about them, and lines about absent ones. */
export function findUnexplainedDependencies(
  manifest: { readonly dependencies: Readonly<Record<string, string>> },
  page: string,
): readonly string[] {
  const names = Object.keys(manifest.dependencies)
  const explained = [...page.matchAll(/^\| `([^`]+)` \| \S/gm)].map((match) => match[1] ?? '')
  return [
    ...names.filter((name) => !explained.includes(name)).map((name) => `${name} has no line with a reason`),
    ...explained.filter((name) => !names.includes(name)).map((name) => `${name} is explained and no dependency`),
  ]
}

/** Addresses of registries in the lock file: it must install from whichever registry the machine uses. */
export function findRegistryHosts(lock: string): readonly string[] {
  return [...new Set([...lock.matchAll(/"resolved": "(https?:\/\/[^/"]+)/g)].map((match) => match[1] ?? ''))].map(
    (host) => `package-lock.json names ${host}`,
  )
}

/** Optional packages that the lock file does not have: `npm ci` refuses it then (scripts/complete-lock.mjs helps). */
export function findLockGaps(lock: string): readonly string[] {
  const { packages } = JSON.parse(lock) as { readonly packages: Readonly<Record<string, LockedPackage>> }
  return Object.entries(packages).flatMap(([parent, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !(`node_modules/${name}` in packages) && !(`${parent}/node_modules/${name}` in packages))
      .map((name) => `package-lock.json lacks ${name}`),
  )
}

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Relative links of a document that lead to nothing. `exists` gets paths from the top of the project. */
export function findBrokenLinks(page: SourceFile, exists: (path: string) => boolean): readonly string[] {
  const directory = page.path.includes('/') ? page.path.slice(0, page.path.lastIndexOf('/')) : ''
  return [...page.text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !exists(`${directory}/${target}`))
    .map((target) => `${page.path} links to ${target}, which does not exist`)
}
