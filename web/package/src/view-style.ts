// The look of <unmask-view>. A page sets --unmask-accent, --unmask-ink, --unmask-soft and --unmask-mask.
export const style = `
:host { display: block; position: relative; color: var(--unmask-ink, CanvasText); --tint: var(--unmask-accent, #3b3fbf); }
.text { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; min-height: 3em; }
.text span:not(.prompt) { border-radius: .2em; padding: .05em 0; transition: background-color .3s; cursor: pointer; }
.text span:focus-visible { outline: 2px solid var(--tint); }
.prompt { color: var(--unmask-soft, inherit); }
.mask::before { content: "\\2003\\2002"; background: var(--unmask-mask, #c9c6e8); border-radius: .25em; margin-right: .15em; }
.mask.active::before { box-shadow: inset 0 0 0 1.5px var(--tint); }
.marked { outline: 1.5px dashed var(--tint); outline-offset: -1px; opacity: .55; }
.token { background: hsl(var(--hue) 90% 55% / calc(var(--strength) * .38)); }
.token.active { border-bottom: 2px solid var(--tint); }
.token.new { background: var(--tint); color: Canvas; }
.tip { position: absolute; z-index: 2; width: max-content; max-width: 230px; padding: .5em .7em; border-radius: .5em; font: .8rem/1.45 system-ui, sans-serif; background: Canvas; color: CanvasText; border: 1px solid color-mix(in srgb, CanvasText 25%, transparent); box-shadow: 0 4px 18px rgb(0 0 0 / .18); pointer-events: none; }
.row { background: linear-gradient(to right, color-mix(in srgb, var(--tint) 25%, transparent) calc(var(--share) * 100%), transparent 0); padding: 0 .2em; border-radius: .2em; }
.row.own { font-weight: 600; }
.player { display: flex; align-items: center; gap: .4rem; margin-top: .8rem; font: .85rem system-ui, sans-serif; }
.player[hidden] { display: none; }
.player.empty { visibility: hidden; }
.player button, .player select { font: inherit; color: inherit; background: transparent; border: 1px solid color-mix(in srgb, currentcolor 25%, transparent); border-radius: .4rem; min-width: 2rem; min-height: 2rem; cursor: pointer; }
.player input { flex: 1; min-width: 3rem; accent-color: var(--tint); }
.player output { font-variant-numeric: tabular-nums; color: var(--unmask-soft, inherit); white-space: nowrap; }
.player :focus-visible { outline: 2px solid var(--tint); outline-offset: 1px; }
@media (prefers-reduced-motion: reduce) { .text span:not(.prompt) { transition: none; } }
`;
