/**
 * The look of the pages, first part: colours for light and dark, type, and the frame.
 *
 * Invariant: system fonts, no image from elsewhere, and text of at least 4.5 : 1 on its ground in both themes.
 */

/** CSS. */
export const BASE_STYLE = `:root {
  color-scheme: light dark;
  --paper: #f6f5f1;
  --card: #fffefb;
  --ink: #1b2126;
  --soft: #56606a;
  --line: #e0ddd3;
  --line-strong: #c9c5b8;
  --link: #1a5a66;
  --tint: #eef3f2;
  --ok: #1a6340; --ok-bg: #e2f1e7; --ok-fill: #4ba377;
  --bad: #9b1c2c; --bad-bg: #fae3e3; --bad-fill: #c8414f;
  --fail: #8a3a08; --fail-bg: #fce9d9; --fail-fill: #dd8442;
  --slow: #6d4e00; --slow-bg: #f8ecc6; --slow-fill: #d6b13c;
  --off: #48525c; --off-bg: #e8eaea; --off-fill: #a4adb3;
  --err: #553b87; --err-bg: #ece5f7; --err-fill: #977fc4;
  --shadow: 0 1px 2px rgb(40 36 20 / 5%), 0 4px 16px rgb(40 36 20 / 4%);
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'Liberation Mono', monospace;
  --sans: -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'Liberation Sans', Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #101416;
    --card: #171c1f;
    --ink: #e5e8e6;
    --soft: #9ca8ae;
    --line: #283036;
    --line-strong: #3d474e;
    --link: #83c6d0;
    --tint: #1a2226;
    --ok: #8ed8ad; --ok-bg: #143022; --ok-fill: #3f9a6c;
    --bad: #ffa0a7; --bad-bg: #42181e; --bad-fill: #cf4c59;
    --fail: #ffb98d; --fail-bg: #402311; --fail-fill: #d57a38;
    --slow: #ebcf7d; --slow-bg: #382e0d; --slow-fill: #bd9a2d;
    --off: #b8c1c7; --off-bg: #262d32; --off-fill: #667179;
    --err: #cfb9f6; --err-bg: #2d2444; --err-fill: #8064b8;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
html { font-size: 100%; -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 1rem/1.55 var(--sans);
  font-variant-numeric: tabular-nums;
}
h1, h2, h3 { line-height: 1.25; margin: 0; text-wrap: balance; }
h1 { font-size: clamp(1.45rem, 1.1rem + 1.4vw, 2rem); font-weight: 650; letter-spacing: -0.015em; max-width: 54rem; }
h2 { font-size: 1.1rem; font-weight: 650; letter-spacing: -0.005em; }
h3 { font-size: 1rem; font-weight: 650; }
p { margin: 0; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 0.18em; text-decoration-color: color-mix(in srgb, currentColor 40%, transparent); }
a:hover { text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
main:focus { outline: none; }
bdi { overflow-wrap: anywhere; }
.mono { font-family: var(--mono); font-size: 0.86em; }
.wrap { overflow-wrap: anywhere; }
.dim { color: var(--soft); }
.small { color: var(--soft); font-size: 0.86rem; }
.sub { display: block; color: var(--soft); font-size: 0.82rem; line-height: 1.4; }
th .sub { font-weight: 400; }
.sub.mono { font-size: 0.76rem; }
.line { display: block; }
.keep { white-space: nowrap; }
.strong { font-weight: 650; }
.sr {
  position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
.skip { position: absolute; left: -100rem; top: 0; background: var(--card); padding: 0.6rem 1rem; z-index: 2; }
.skip:focus { left: 0; }

.top { background: var(--card); border-bottom: 1px solid var(--line); }
.bar {
  max-width: 78rem; margin: 0 auto; padding: 0.7rem 1.5rem;
  display: flex; align-items: center; gap: 0.4rem 2rem; flex-wrap: wrap;
}
.brand {
  display: inline-flex; align-items: center; gap: 0.6rem;
  font-weight: 700; font-size: 1.1rem; letter-spacing: -0.01em; color: var(--ink); text-decoration: none;
}
.bar nav { display: flex; flex-wrap: wrap; gap: 0 1.3rem; font-size: 0.93rem; }
.bar nav a { color: var(--soft); text-decoration: none; padding: 0.3rem 0; border-bottom: 2px solid transparent; }
.bar nav a:hover { color: var(--ink); }
.bar nav a[aria-current] { color: var(--ink); border-color: var(--link); }
main { max-width: 78rem; margin: 0 auto; padding: 2.2rem 1.5rem 3rem; display: grid; gap: 1.75rem; }
main > * { min-width: 0; }
.foot {
  max-width: 78rem; margin: 0 auto; padding: 0.5rem 1.5rem 2.5rem;
  color: var(--soft); font-size: 0.86rem; display: flex; flex-wrap: wrap; gap: 0.4rem 2rem; justify-content: space-between;
}

.lead { display: grid; gap: 0.7rem; }
.eyebrow { color: var(--soft); font-size: 0.9rem; }
.tag {
  background: var(--link); color: var(--card); border-radius: 4px; padding: 0.1rem 0.5rem; margin-right: 0.6rem;
  font-size: 0.78rem; font-weight: 650; letter-spacing: 0.02em;
}
.second { color: var(--soft); font-size: 1.05rem; max-width: 46rem; }
.second.bad { color: var(--bad); font-weight: 600; }
.verdict-line { display: flex; flex-wrap: wrap; gap: 0.4rem 0.7rem; align-items: center; }
.alert {
  background: var(--bad-bg); color: var(--bad); border-radius: 8px; padding: 0.7rem 1rem; font-weight: 550; max-width: 60rem;
  white-space: pre-line;
}
.empty { color: var(--soft); padding: 1.5rem; border: 1px dashed var(--line-strong); border-radius: 10px; }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; box-shadow: var(--shadow);
  padding: 1.25rem 1.35rem; min-width: 0;
}
.card > h2 { margin-bottom: 0.8rem; }
.card > .small { margin-top: 0.8rem; }
.pair { display: grid; gap: 1.5rem; align-items: start; }
@media (min-width: 62rem) {
  .pair { grid-template-columns: minmax(20rem, 26rem) minmax(0, 1fr); }
  .pair.even { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
}
.pair > :only-child { grid-column: 1 / -1; }

.prose { line-height: 1.65; }
.prose > * { max-width: 46rem; }
.prose > * + * { margin-top: 0.8rem; }
.prose h1 { font-size: 1.35rem; }
.prose * + h2, .prose * + h3 { margin-top: 1.4rem; }
.prose code { font-family: var(--mono); font-size: 0.86em; background: var(--tint); border-radius: 4px; padding: 0.1em 0.3em; overflow-wrap: anywhere; }
.prose td:first-child code { overflow-wrap: normal; white-space: nowrap; }
.prose pre { background: var(--tint); border-radius: 8px; padding: 0.9rem 1rem; overflow-x: auto; max-width: 100%; }
.prose pre code { background: none; padding: 0; overflow-wrap: normal; }
.prose ul, .prose ol { padding-left: 1.3rem; }
.prose .scroll { max-width: 100%; }
.prose blockquote { margin-left: 0; padding-left: 1rem; border-left: 3px solid var(--line-strong); color: var(--soft); }
`
