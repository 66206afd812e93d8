/** The head of a table that is sorted by links. */
import { html, raw } from 'hono/html'
import type { Html } from './html-value.ts'

/** One column. */
export interface SortColumn<Sort extends string> {
  /** `null` for a column that nobody sorts by. */
  readonly sort: Sort | null
  readonly label: string
  readonly isNumber: boolean
  /** How it is sorted. */
  readonly direction: 'ascending' | 'descending'
}

/** Renders the head. @param href - The page in another order. */
export function renderSortHead<Sort extends string>(
  columns: readonly SortColumn<Sort>[],
  current: Sort,
  href: (sort: Sort) => string,
): Html {
  return html`<thead class="sort">
    <tr>
      ${columns.map(({ sort, label, isNumber, direction }) => {
        const style = isNumber ? raw('class="n"') : ''
        const state = sort === current ? raw(`aria-sort="${direction}"`) : ''
        const mark =
          sort === current ? html` <span aria-hidden="true">${direction === 'ascending' ? '↑' : '↓'}</span>` : ''
        return html`<th scope="col" ${style} ${state}>
          ${sort === null ? label : html`<a href="${href(sort)}">${label}</a>`}${mark}
        </th>`
      })}
    </tr>
  </thead>`
}
