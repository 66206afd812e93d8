/** The look of the pages, third part: charts, strips, runs, facets. */

/** CSS. */
export const HISTORY_STYLE = `
.lead h1 { text-wrap: pretty; }
.lead h1 a { color: inherit; text-decoration-thickness: 1.5px; text-decoration-color: var(--line-strong); }
.lead h1 a:hover { text-decoration-color: var(--link); }
.notice { background: var(--tint); border-left: 3px solid var(--link); border-radius: 0 8px 8px 0; padding: 0.6rem 1rem; max-width: 60rem; }
.links { display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; }
.column { display: grid; gap: 1.5rem; min-width: 0; align-content: start; }
.card-head { display: flex; flex-wrap: wrap; gap: 0.6rem 1.5rem; align-items: baseline; justify-content: space-between; margin-bottom: 0.6rem; }
.current { display: grid; gap: 0.8rem; }
.s-invalid { color: var(--bad); background: none; box-shadow: inset 0 0 0 1px var(--bad); }
.s-plain { color: var(--soft); background: none; padding-left: 0; }

.section-bar { display: flex; flex-wrap: wrap; gap: 0.8rem 2rem; align-items: center; justify-content: space-between; }
.views { display: flex; gap: 0.2rem; border-bottom: 1px solid var(--line); }
.views a { padding: 0.35rem 0.9rem; color: var(--soft); text-decoration: none; border-bottom: 2px solid transparent; margin-bottom: -1px; }
.views a:hover { color: var(--ink); }
.views a[aria-current] { color: var(--ink); font-weight: 600; border-color: var(--link); }
.run-selector { display: flex; flex-wrap: wrap; gap: 0.5rem 0.6rem; align-items: center; font-size: 0.92rem; }
.run-selector label { color: var(--soft); }
.run-selector select, .run-selector button {
  font: inherit; border: 1px solid var(--line-strong); border-radius: 8px; padding: 0.35rem 0.7rem;
  background: var(--card); color: var(--ink); max-width: 100%;
}
.run-selector button { cursor: pointer; font-weight: 600; }
.run-selector button:hover { border-color: var(--link); }

.facets summary, .behind summary { cursor: pointer; color: var(--link); font-size: 0.92rem; width: fit-content; }
.facet-lists { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1.1rem 2rem; padding: 0.9rem 0 0.5rem; }
.facet h3 { font-size: 0.8rem; color: var(--soft); margin-bottom: 0.25rem; }
.facet ul { list-style: none; margin: 0; padding: 0; font-size: 0.88rem; }
.facet li { display: flex; gap: 0.8rem; justify-content: space-between; padding: 0.08rem 0; }
.facet li a { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.facet li a[aria-current] { font-weight: 700; }
.facet .count { color: var(--soft); }
.reset { align-self: center; font-size: 0.88rem; }

#trend { display: grid; gap: 0.9rem; }
.trend, .year { margin: 0; display: grid; gap: 0.7rem; }
.trend > *, .year > * { min-width: 0; }
.trend figcaption, .year figcaption { max-width: 50rem; }
.chart { display: grid; grid-template-columns: 44px minmax(0, 1fr); margin-top: 0.3rem; }
.chart text, .year text { font: 11.5px var(--sans); fill: var(--soft); }
.chart .panel { font-weight: 600; }
.chart-plot { overflow: visible; }
.grid { stroke: var(--line); stroke-width: 1; }
.tick-mark { stroke: var(--line-strong); }
.hatch { stroke: var(--soft); stroke-width: 1.6; opacity: 0.75; }
.mark { fill: var(--card); stroke: var(--soft); stroke-width: 1.5; }
a:hover .mark { stroke: var(--link); stroke-width: 2.5; }
.chart .mark-count, .legend .mark-count { font: 600 11px var(--sans); fill: var(--ink); }
.incidents .evidence { max-width: 22rem; color: var(--soft); font-size: 0.86rem; }
.incidents thead th, .api thead th { background: var(--tint); padding-top: 0.6rem; padding-bottom: 0.6rem; }
.api th { font-weight: 400; }
.api .method { font: 600 0.76rem var(--mono); color: var(--soft); margin-right: 0.5rem; }
.stacked > div { grid-template-columns: minmax(0, 1fr); }
.ring { fill: none; stroke: var(--off-fill); stroke-width: 1.5; }
.f-range { fill: var(--off-fill); }
.f-point { fill: var(--ink); }
.legend { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1.2rem; font-size: 0.84rem; color: var(--soft); }
.legend li { display: inline-flex; gap: 0.4rem; align-items: center; }
.behind > .small { margin: 0.6rem 0; }
.trend-table, .behind table { max-width: 52rem; }
.year svg[viewBox] { max-width: 53rem; display: block; }
.year svg:not([viewBox]) { max-width: 53rem; display: block; margin-bottom: -0.5rem; overflow: visible; }
.legend svg { flex: none; }

.strip { list-style: none; margin: 0.8rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 3px; }
.cell {
  display: grid; place-items: center; width: 1.26rem; height: 1.7rem; border-radius: 4px; font-size: 0.8rem; font-weight: 700;
  text-decoration: none;
}
.cell.s-success { font-weight: 400; }
.cell.s-absent { color: var(--soft); }
a.cell:hover { outline: 2px solid var(--link); }
.cell[aria-current] { outline: 2px solid var(--ink); outline-offset: 1px; }
.strip-ends { display: flex; justify-content: space-between; gap: 1rem; margin-top: 0.4rem; }

#groups, #operations, .difference { display: grid; gap: 0.9rem; }
.interval { display: inline-flex; gap: 0.8rem; align-items: center; white-space: nowrap; }
.remarks, .changed { margin: 0; padding-left: 1.1rem; }
.changed { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 0.35rem 1.5rem; margin-top: 0.4rem; }
.changed li { display: flex; flex-wrap: wrap; gap: 0.2rem 0.7rem; align-items: baseline; }
.card > h3 { margin-top: 1rem; }
.timing { margin-top: 0.4rem; }
.timing th, .timing td { padding-left: 0.25rem; padding-right: 0.25rem; }
.moment { white-space: nowrap; color: var(--soft); }
.runs thead th, .groups thead th { background: var(--tint); padding-top: 0.6rem; padding-bottom: 0.6rem; }
.runs tbody tr:hover > *, .groups tbody tr:hover > * { background: var(--tint); }
.runs tbody th { white-space: nowrap; }
.groups tbody th { font-weight: 550; max-width: 26rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  .section-bar { align-items: stretch; flex-direction: column; }
  .cell { width: 1.1rem; }
  .runs tbody th { white-space: normal; min-width: 6.4rem; }
  .runs .dim, .interval svg { display: none; }
  .interval { flex-direction: column; gap: 0; align-items: flex-start; }
  .framed thead th { white-space: normal; }
  .framed th, .framed td { padding-left: 0.5rem; padding-right: 0.5rem; }
  .exits tbody th, .incidents tbody th { min-width: 8.2rem; }
  .framed .moment { white-space: normal; min-width: 6.2rem; }
  .api tr, .api th, .api td { display: block; }
  .api thead { display: none; }
  .api th { border-bottom: 0; padding-bottom: 0; }
  .api td { padding-top: 0.1rem; }
  .strip-ends { font-size: 0.78rem; }
}
`
