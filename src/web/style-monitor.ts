/** The look of the pages, fourth part: watched names, their lanes, and the form that acknowledges. */

/** CSS. */
export const MONITOR_STYLE = `
.f-off { fill: var(--off-fill); }
.faint { opacity: 0.45; }
.lanes { display: grid; gap: 0.55rem; }
.lane { display: grid; grid-template-columns: minmax(10rem, 17rem) minmax(0, 1fr); gap: 0.2rem 1.2rem; align-items: center; }
.lane svg { display: block; overflow: visible; }
.lane text { font: 11.5px var(--sans); fill: var(--soft); }
.lane-name { font-size: 0.9rem; line-height: 1.35; min-width: 0; }
.names tbody th { font-weight: 550; min-width: 9rem; max-width: 20rem; overflow-wrap: anywhere; }
.names thead th { background: var(--tint); padding-top: 0.6rem; padding-bottom: 0.6rem; }
.names tbody tr:hover > * { background: var(--tint); }
.names .answer { max-width: 24rem; overflow-wrap: anywhere; }
.form { display: grid; gap: 0.8rem; max-width: 34rem; }
.form label { display: grid; gap: 0.2rem; font-size: 0.92rem; }
.form label.check { display: flex; gap: 0.5rem; align-items: baseline; }
.form input:not([type='checkbox']), .form select {
  font: inherit; border: 1px solid var(--line-strong); border-radius: 8px; padding: 0.4rem 0.7rem; background: var(--card);
  color: var(--ink); min-width: 0;
}
.form button {
  font: inherit; font-weight: 600; border: 1px solid var(--line-strong); border-radius: 8px; padding: 0.45rem 1rem;
  background: var(--card); color: var(--ink); cursor: pointer; width: fit-content;
}
.form button:hover { border-color: var(--link); }
@media (max-width: 40rem) {
  .lane { grid-template-columns: minmax(0, 1fr); }
  .seen .moment { white-space: normal; min-width: 5.5rem; }
  .seen td, .seen th { padding-left: 0.3rem; padding-right: 0.3rem; }
  .seen .mono { min-width: 8.5rem; }
}
`
