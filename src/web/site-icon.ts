/** The mark of Candor: a question that comes back as a tick. */

/** An SVG document; draws itself for light and dark tabs. */
export const SITE_ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="8" fill="#1d5c66"/>
<path d="M22.5 10.2A8.4 8.4 0 1 0 23.6 19" fill="none" stroke="#bfe3e4" stroke-width="2.6" stroke-linecap="round"/>
<path d="M12.2 15.8l3.4 3.6 8.2-8.6" fill="none" stroke="#fff" stroke-width="2.8" stroke-linecap="round" stroke-linejoin="round"/>
</svg>
`
