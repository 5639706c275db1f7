// The page, as text. Plain HTML that reads well without its styles, in light and dark, and to a screen reader.

/** @param {unknown} value */
function escapeHtml(value) {
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return String(value).replace(/[&<>"']/g, (char) => entities[char]);
}

const styles = `
:root { color-scheme: light dark; --ink: #16202b; --soft: #4b5a69; --paper: #f4f6f8; --card: #fff; --line: #d8dee4; --good: #12694a; --bad: #9a3412; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8edf2; --soft: #a5b3c1; --paper: #10161d; --card: #18212b; --line: #2c3844; --good: #6fd6ab; --bad: #fdba74; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 1.0625rem/1.6 system-ui, sans-serif; }
main { width: min(34rem, 100%); padding: clamp(1.5rem, 5vw, 2.5rem); background: var(--card); border: 1px solid var(--line); border-radius: 1rem; }
h1 { margin: 0 0 .5rem; font-size: 1.75rem; line-height: 1.2; letter-spacing: -.01em; text-wrap: balance; }
p { margin: 0 0 1rem; color: var(--soft); }
.state { display: flex; gap: .6rem; align-items: center; margin: 0 0 1rem; font-weight: 600; }
.state::before { content: ""; flex: none; width: .7rem; height: .7rem; border-radius: 50%; background: currentColor; }
.here { color: var(--good); } .away { color: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.25rem; margin: 0 0 1.5rem; padding: 1rem 0; border-block: 1px solid var(--line); }
dt { color: var(--soft); } dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
code { font-size: .95em; } a { color: inherit; text-underline-offset: .2em; }
footer, footer p { margin: 0; font-size: .9375rem; color: var(--soft); }
`;

/** What the API said, as a description list. */
function renderAnswer({ said, tookMs }) {
  const rows = [
    ["It said", said.greeting],
    ["Requests so far", said.requests],
    ["Its process", said.process],
    ["Running since", said.startedAt],
    ["It took", `${tookMs} ms`],
  ];
  const list = rows
    .map(([term, value]) => `<dt>${escapeHtml(term)}</dt><dd>${escapeHtml(value ?? "nothing")}</dd>`)
    .join("");
  return `<p class="state here" role="status">The API answers</p><dl>${list}</dl>`;
}

function renderAbsence({ reason }) {
  return `<p class="state away" role="status">The API is away</p><p>${escapeHtml(reason)} This page works all the same; reload it in a moment.</p>`;
}

/**
 * @param {{ kind: "here", said: Record<string, unknown>, tookMs: number } | { kind: "away", reason: string }} api
 * @returns {string} a whole HTML document
 */
export function renderPage(api) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${api.kind === "here" ? "Your lab runs" : "The API is away"} · fed starter</title>
<link rel="icon" href="data:,">
<style>${styles}</style>
</head>
<body>
<main>
<h1>Your lab runs</h1>
<p>This page comes from the service <code>site</code>, which asked the service <code>api</code> at the address fed gave it.</p>
${api.kind === "here" ? renderAnswer(api) : renderAbsence(api)}
<footer><p>Change <code>GREETING</code> in <code>lab.ts</code>, save, and <a href="/">reload</a>.</p></footer>
</main>
</body>
</html>
`;
}
