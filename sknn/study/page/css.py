"""How the page looks: narrow and wide, light and dark, on paper."""

from ..figures.style import BAND, DARK, GRID, INK, MUTED, PAPER


def style_sheet() -> str:
    """Write the style sheet of the page, with every colour of the figures as a variable.

    Returns
    -------
    str
        CSS.
    """
    light = "".join(f"--{color[1:]}:{color};" for color in DARK)
    dark = "".join(f"--{color[1:]}:{other};" for color, other in DARK.items())
    names = {"ink": INK, "muted": MUTED, "line": GRID, "band": BAND, "paper": PAPER}
    roles = "".join(f"--{name}:var(--{color[1:]});" for name, color in names.items())
    return (
        f":root{{color-scheme:light dark;{light}{roles}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        f"{RULES}"
    )


RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--paper);color:var(--ink);
  font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header,footer{max-width:1220px;margin:0 auto;padding:0 clamp(16px,3vw,40px)}
header{padding-top:clamp(24px,5vw,56px)}
h1,h2,h3{line-height:1.2;text-wrap:balance;overflow-wrap:anywhere}
h1{font-size:clamp(1.7rem,4.5vw,2.6rem);margin:.1em 0 .2em;letter-spacing:-.02em}
h2{font-size:1.45rem;margin:2.2em 0 .6em;letter-spacing:-.01em}
h3{font-size:1.1rem;margin:2em 0 .5em}
section.one-of-several>h2{font-size:1.9rem;border-top:2px solid var(--ink);padding-top:.7em;margin-top:3em}
p,ul.prose,dl{max-width:72ch}
p,li,dd,td,th{overflow-wrap:break-word}
a{color:inherit;text-underline-offset:.18em}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--0067b1);outline-offset:2px}
.eyebrow{margin:0;color:var(--muted);font-size:.85rem;letter-spacing:.06em;text-transform:uppercase}
.facts,.note,figcaption,footer{color:var(--muted);font-size:.92rem}
.answer{margin:1.4em 0;padding:1.1em 1.3em;background:var(--band);border-left:4px solid var(--ink);
  border-radius:0 8px 8px 0}
.answer p{margin:0;max-width:80ch;overflow-wrap:anywhere}
.answer .first{font-size:clamp(1.15rem,2.2vw,1.4rem);line-height:1.4;font-weight:600;text-wrap:pretty}
.answer .first+p{margin-top:.7em}
nav ol,nav ul{padding-left:1.3em;margin:.4em 0}
nav li{margin:.35em 0;max-width:80ch}
.scroll{overflow-x:auto;margin:.8em 0;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:.5em .65em;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line);vertical-align:top}
thead th{white-space:normal;font-weight:600;color:var(--muted);vertical-align:bottom;background:var(--band)}
tbody tr:last-child>*{border-bottom:0}
tbody th{font-weight:500}
th:first-child,td.text,th.text{text-align:left}
td.wrap{white-space:normal;min-width:16em;text-align:left;overflow-wrap:anywhere}
tbody th.model{position:sticky;left:0;background:var(--paper);white-space:normal;min-width:11.5em;max-width:17em;
  overflow-wrap:anywhere;z-index:1}
tbody th.with-mark{padding-left:1.95em}
.mark{display:inline-block;width:1.25em;margin-left:-1.25em;font-size:1.05em;line-height:1}
.family{display:block;color:var(--muted);font-size:.84em;font-weight:400}
.sd{font-size:.92em}
.sd,.unit{color:var(--muted)}
.unit{display:block;font-size:.84em}
.best{font-weight:700}
.best::before{content:"★ ";font-size:.85em}
.sure{font-weight:700}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,490px),1fr));gap:2.2em 2.4em;
  align-items:start}
figure{margin:0;min-width:0}
figure h3,figure h4{font-size:1.05rem;margin:0 0 .5em}
figure svg{display:block;width:100%;height:auto;max-width:680px;overflow:visible}
figure svg text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif!important}
figcaption{margin-top:.5em;max-width:66ch}
details{margin:.6em 0;border:1px solid var(--line);border-radius:8px;padding:.2em 1em}
summary{cursor:pointer;padding:.45em 0;font-weight:500}
details .scroll{margin:.4em -.4em .9em}
pre{margin:.4em 0 1em;padding:.8em 1em;background:var(--band);border-radius:6px;font-size:.84rem;line-height:1.5;
  white-space:pre-wrap;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:minmax(7.5em,auto) 1fr;gap:.35em 1.4em;margin:.6em 0}
dt{color:var(--muted)}
dd{margin:0;min-width:0;overflow-wrap:anywhere}
code{font-size:.92em;overflow-wrap:anywhere}
footer{margin-top:4em;padding-top:1em;padding-bottom:3em}
@media (max-width:520px){
  dl{grid-template-columns:1fr;gap:0}
  dd{margin-bottom:.6em}
  th,td{padding:.45em .6em}
  td .sd{display:block;font-size:.88em}
  tbody th.model{min-width:9.3em}
}
@media print{
  body{font-size:10.5pt}
  main,header,footer{max-width:none;padding:0}
  figure,tr,.answer{break-inside:avoid}
  h2,h3,summary{break-after:avoid}
  .figures{grid-template-columns:1fr 1fr;gap:1.4em}
  .scroll{overflow:visible;border:0}
  table{font-size:8pt}
  th,td{padding:.3em .4em}
  th{white-space:normal}
  td .sd{display:block}
  details::details-content{content-visibility:visible;block-size:auto}
}
"""
