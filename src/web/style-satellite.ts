/** The look of the pages about resolvers: map, matrix, intervals. */

/** CSS. */
export const SATELLITE_STYLE = `
.world { margin: 0; display: grid; gap: 0.8rem; }
.world > svg { width: 100%; height: auto; display: block; }
.w { stroke: var(--card); stroke-width: 0.6; }
.w-absent { fill: var(--line); }
.w-none { fill: var(--off-fill); }
.w-some { fill: var(--fail-fill); }
.w-many { fill: var(--bad-fill); }
.w-few { fill: url(#few); stroke: var(--line-strong); }
.w-few-ground { fill: var(--card); }
.w-few-line { stroke: var(--soft); stroke-width: 2; }
.world a:hover .w { stroke: var(--ink); stroke-width: 1.4; }
.world a:focus-visible .w { stroke: var(--link); stroke-width: 2.5; }
.grid-table { width: auto; min-width: 100%; }
.grid-table th, .grid-table td { padding: 0.3rem 0.45rem; }
.grid-table thead th { text-align: center; }
.grid-table tbody th { background: var(--card); font-weight: 500; max-width: 16rem; overflow-wrap: anywhere; position: sticky; left: 0; }
.grid-table td { text-align: center; white-space: nowrap; min-width: 4.6rem; }
.grid-table td a { text-decoration: none; color: inherit; display: block; border-radius: 6px; padding: 0.15rem 0.3rem; }
.grid-table td a:hover { outline: 2px solid var(--link); }
.grid-table .sub { font-size: 0.72rem; }
.g-interference { background: var(--bad-bg); color: var(--bad) !important; font-weight: 650; }
.g-interference .sub { color: var(--bad); }
.g-not_shown { background: var(--off-bg); color: var(--off) !important; }
.g-not_shown .sub { color: var(--off); }
.g-too_few { color: var(--soft) !important; box-shadow: inset 0 0 0 1px var(--line-strong); }
.g-absent { color: var(--soft); }
.sort a { color: inherit; text-decoration: none; }
.sort a:hover { text-decoration: underline; }
.sort [aria-sort] { color: var(--ink); }
.findings-list { display: grid; gap: 0.9rem; margin: 0; padding: 0; list-style: none; }
.findings-list > li { border-left: 3px solid var(--line-strong); padding-left: 0.9rem; display: grid; gap: 0.3rem; }
.weights { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; font-size: 0.86rem; color: var(--soft); }
@media (max-width: 40rem) {
  .grid-table tbody th { max-width: 9rem; }
}
`
