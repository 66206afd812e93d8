/** The look of the pages, second part: progress, badges, tables, filters, evidence. */

/** CSS. */
export const COMPONENT_STYLE = `
.progress { display: grid; gap: 0.7rem; }
.steps { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.3rem 1.6rem; font-size: 0.9rem; color: var(--soft); }
.steps li { display: inline-flex; gap: 0.45rem; align-items: baseline; }
.steps .done { color: var(--ok); }
.steps .at { color: var(--ink); font-weight: 650; }
.steps .at > span:first-child { color: var(--link); }
@media (prefers-reduced-motion: no-preference) {
  .steps .at > span:first-child { animation: breathe 1.6s ease-in-out infinite; }
  @keyframes breathe { 50% { opacity: 0.35; } }
}
.verdict-bar { display: block; border-radius: 7px; }
.f-track { fill: var(--line); }
.f-success { fill: var(--ok-fill); }
.f-wrong_ip { fill: var(--bad-fill); }
.f-dns_fail { fill: var(--fail-fill); }
.f-timeout { fill: var(--slow-fill); }
.f-circuit_fail { fill: var(--off-fill); }
.f-error { fill: var(--err-fill); }
.f-not_tested { fill: var(--line-strong); }
.facts { display: flex; flex-wrap: wrap; gap: 0.2rem 1.5rem; font-size: 0.92rem; }
.now { color: var(--soft); font-size: 0.95rem; max-width: 60rem; }
.now.alert { color: var(--bad); font-size: 1rem; }

.badge {
  display: inline-block; border-radius: 999px; padding: 0.12rem 0.65rem; font-size: 0.84rem; font-weight: 600;
  white-space: nowrap; line-height: 1.45;
}
.s-success { color: var(--ok); background: var(--ok-bg); }
.s-wrong_ip { color: var(--bad); background: var(--bad-bg); }
.s-dns_fail { color: var(--fail); background: var(--fail-bg); }
.s-timeout { color: var(--slow); background: var(--slow-bg); }
.s-circuit_fail { color: var(--off); background: var(--off-bg); }
.s-error, .s-exception { color: var(--err); background: var(--err-bg); }
.s-not_tested { color: var(--soft); background: none; box-shadow: inset 0 0 0 1px var(--line-strong); }
.flag {
  display: inline-block; border: 1px solid var(--line-strong); border-radius: 4px; padding: 0 0.4rem;
  font: 0.76rem/1.5 var(--sans); color: var(--soft); white-space: nowrap;
}
.agree { color: var(--ok); font-weight: 650; white-space: nowrap; }
.open { color: var(--slow); font-weight: 650; white-space: nowrap; }
.disagree { color: var(--bad); font-weight: 700; white-space: nowrap; }

.scroll { position: relative; overflow-x: auto; overscroll-behavior-x: contain; border-radius: 12px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th { text-align: left; font-weight: 600; }
thead th { color: var(--soft); font-size: 0.8rem; font-weight: 600; white-space: nowrap; vertical-align: bottom; }
th, td { padding: 0.5rem 0.8rem; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
.n { text-align: right; white-space: nowrap; }
.card table th:first-child, .card table td:first-child { padding-left: 0; }
.card table th:last-child, .card table td:last-child { padding-right: 0; }
.counts td, .counts th, .matrix td, .matrix tbody th { padding-top: 0.38rem; padding-bottom: 0.38rem; vertical-align: baseline; }
.counts th, .counts td { padding-left: 0.35rem; padding-right: 0.35rem; }
.counts .of { color: var(--soft); font-size: 0.82rem; }
.counts td a { font-weight: 650; }
.matrix tbody th { font-weight: 500; white-space: nowrap; }
.matrix th, .matrix td { padding-left: 0.4rem; padding-right: 0.4rem; }
.matrix thead th { white-space: normal; min-width: 3.9rem; }
.matrix .n a { text-decoration: none; }
.matrix .n a:hover { text-decoration: underline; }
.matrix tbody tr:hover, .exits tbody tr:hover > * { background: var(--tint); }

.filters { display: grid; gap: 0.6rem; margin: 0.8rem 0 0.7rem; }
.chips { display: flex; flex-wrap: wrap; gap: 0.45rem; }
.chips:empty { display: none; }
.chip {
  border: 1px solid var(--line-strong); border-radius: 999px; padding: 0.18rem 0.8rem; background: var(--card);
  color: var(--ink); font-size: 0.88rem; text-decoration: none; white-space: nowrap;
}
.chip span { color: var(--soft); margin-left: 0.2rem; }
.chip:hover { border-color: var(--link); }
.chip[aria-current] { background: var(--link); border-color: var(--link); color: var(--card); }
.chip[aria-current] span { color: var(--card); }
.search { display: flex; gap: 0.5rem; max-width: 26rem; }
.search input, .search button {
  font: inherit; font-size: 0.92rem; border: 1px solid var(--line-strong); border-radius: 8px; padding: 0.4rem 0.75rem;
  background: var(--card); color: var(--ink); min-width: 0;
}
.search input { flex: 1; }
.search input::placeholder { color: var(--soft); opacity: 1; }
.search button { cursor: pointer; font-weight: 600; }
.search button:hover { border-color: var(--link); }
.shown { color: var(--soft); font-size: 0.86rem; margin-bottom: 0.5rem; }
#exits > .scroll, .framed { background: var(--card); border: 1px solid var(--line); box-shadow: var(--shadow); }
.exits thead th { background: var(--tint); padding-top: 0.6rem; padding-bottom: 0.6rem; }
.exits thead a { color: inherit; text-decoration: none; }
.exits thead a:hover { text-decoration: underline; }
.exits thead [aria-sort] { color: var(--ink); }
.exits tbody th { background: var(--card); min-width: 9rem; max-width: 14rem; }
.exits .truth { min-width: 15rem; max-width: 22rem; }
.exits .network { min-width: 9rem; max-width: 13rem; }
.exits .network .sub { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.exits .fault { font-weight: 550; }
.exits .badge + .flag { margin-left: 0.25rem; }
@media (min-width: 40rem) {
  .exits th:first-child { position: sticky; left: 0; z-index: 1; }
}
.pages { display: flex; gap: 1.2rem; margin-top: 0.9rem; font-size: 0.92rem; }

.truth-card { border-left: 4px solid var(--line-strong); }
.truth-line { display: flex; gap: 0.9rem; align-items: baseline; }
#evidence { display: grid; gap: 1rem; }
.circuit header { display: flex; flex-wrap: wrap; gap: 0.3rem 1.4rem; align-items: baseline; margin-bottom: 0.5rem; }
.path { display: flex; flex-wrap: wrap; gap: 0.15rem 0.55rem; font-size: 0.92rem; color: var(--soft); align-items: baseline; }
.path strong { color: var(--ink); }
.path .rtt { margin-left: 0.6rem; }
.attempts { min-width: 50rem; }
.patience { display: block; margin: 0.3rem 0 0 auto; }
.patience .tick { stroke: var(--soft); stroke-width: 1; fill: none; }
.attempts .name { word-break: break-all; display: block; max-width: 30rem; }
.attempts td:nth-child(3) { min-width: 11rem; max-width: 18rem; }
.facts-list { margin: 0; font-size: 0.93rem; }
.facts-list > div { display: grid; grid-template-columns: minmax(8rem, 13rem) minmax(0, 1fr); gap: 0.2rem 1.2rem; padding: 0.4rem 0; border-bottom: 1px solid var(--line); }
.facts-list > div:last-child { border-bottom: 0; }
.facts-list dt { color: var(--soft); }
.facts-list dd { margin: 0; overflow-wrap: anywhere; }
.links { margin-top: 0.8rem; font-size: 0.93rem; }

@media (max-width: 40rem) {
  .wide { display: none; }
  .bar, main, .foot { padding-left: 1rem; padding-right: 1rem; }
  main { padding-top: 1.4rem; gap: 1.4rem; }
  .card { padding: 1rem; }
  .facts-list > div { grid-template-columns: minmax(0, 1fr); }
  .counts th, .counts td { padding-left: 0.35rem; padding-right: 0.35rem; }
.counts .of { display: none; }
  .truth-line { display: block; }
  .circuit .path .rtt { margin-left: 0; flex-basis: 100%; }
}
@media print {
  .filters, .top nav, .foot, .skip { display: none; }
  body { background: none; }
}
`
