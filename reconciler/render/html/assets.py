"""The style sheet and the script of reports; without the script a page shows everything."""

from dataclasses import dataclass
from enum import Enum

_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:76rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:1.75rem}
footer{padding-top:1rem;padding-bottom:2rem;color:var(--faint);font-size:.875rem}
h1{font-size:1.6rem;line-height:1.25;margin:0}
h2{font-size:1.2rem;line-height:1.3;margin:2.25rem 0 .75rem}
h3{font-size:1rem;margin:1.75rem 0 .5rem}
h3 small{font-weight:400}
p{margin:.4rem 0}
small,.made{color:var(--faint);font-size:.8125rem}
code{font:.875em ui-monospace,monospace}
.lead{font-size:1.0625rem}
th,td,small,li,h3,.text{unicode-bidi:plaintext;text-align:left}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--page);color:var(--accent);padding:.5rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.whole{display:block;width:100%;height:1.5rem;border-radius:.375rem}
.bar{display:block;width:100%;height:.75rem;border-radius:.25rem}
.rest{fill:var(--raised)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.35rem 1.5rem;margin:.75rem 0;padding:0}
.legend svg{width:.75rem;height:.75rem;margin-right:.4rem}
.legend b{font-variant-numeric:tabular-nums}
.messages h2{margin-top:.25rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:0 2.5rem}
.chart{width:100%;border-collapse:collapse;table-layout:fixed}
.chart th,.chart td{padding:.25rem .75rem .25rem 0;font-weight:400;vertical-align:middle}
.chart th:first-child{width:36%}
.chart .n{width:3.25rem;text-align:right;padding-right:0;font-variant-numeric:tabular-nums}
.chart .n:nth-child(3){width:5.75rem}
.chart thead th{color:var(--faint);font-size:.8125rem}
.filter{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end;margin:1rem 0;padding:.9rem 1rem 1rem;
background:var(--raised);border:1px solid var(--line);border-radius:.5rem}
.filter[hidden]{display:none}
.filter label{display:flex;flex-direction:column;gap:.2rem;font-size:.8125rem;color:var(--faint);flex:1 1 10rem}
.filter label:first-of-type{flex:2 1 14rem}
.filter input,.filter select{font:inherit;font-size:1rem;color:var(--text);background:var(--page);
border:1px solid var(--faint);border-radius:.375rem;padding:.4rem .5rem;min-height:2.5rem;width:100%}
.filter output{flex:1 1 100%;font-size:.875rem;color:var(--text)}
.rows{width:100%;border-collapse:collapse;table-layout:fixed}
.rows th,.rows td{padding:.45rem .9rem .45rem 0;vertical-align:top;font-weight:400;border-top:1px solid var(--line)}
.rows thead th{border-top:0;color:var(--faint);font-size:.8125rem;padding-bottom:.2rem}
.rows tbody th{font-weight:600}
.rows small{display:block;font-weight:400}
.rows td>small{color:var(--text)}
.rows .who small{color:var(--faint)}
.rows ul{margin:0;padding:0;list-style:none;font-size:.875rem}
.rows li+li{margin-top:.1rem}
.rows .c1{width:27%}.rows .c2{width:24%}.rows .c3{width:11.5rem}
.badge{font-weight:600;font-size:.875rem;white-space:nowrap}
.badge::before{content:"";display:inline-block;width:.6em;height:.6em;border-radius:50%;
background:currentColor;margin-right:.45em}
section.site{content-visibility:auto;contain-intrinsic-size:auto 20rem}
[hidden]{display:none}
.messages{border-left:4px solid;padding:.1rem 0 .1rem 1rem;margin:1.25rem 0}
.errors{border-color:var(--bad)}.warnings{border-color:var(--changed)}
.messages ul{padding-left:1.1rem;margin:.4rem 0}
@media (max-width:44rem){
header,main,footer{padding-left:1rem;padding-right:1rem}
.rows,.rows tbody,.rows tr,.rows th,.rows td{display:block;width:auto}
.rows thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.rows tr{border-top:1px solid var(--line);padding:.6rem 0}
.rows tr[hidden]{display:none}
.rows th,.rows td{border:0;padding:.1rem 0}
.rows td:empty{display:none}
}
@media print{
body{font-size:10pt}
header,main,footer{max-width:none;padding-left:0;padding-right:0}
.filter,.skip{display:none}
section.site{content-visibility:visible}
tr,.legend li{break-inside:avoid}
h2,h3{break-after:avoid}
svg,.badge::before{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour in the light and in the dark scheme, as `#rrggbb`."""

    light: str
    dark: str


class Shade(Enum):
    """The colours of badges, beside which a word always stands.

    `plan_page._BADGE` and `status_page._SHADE` say which is which.
    """

    BAD = Colour("#b3261e", "#ff8a80")
    LACKING = Colour("#a03d00", "#ffab70")
    WAITING = Colour("#6b3fa0", "#c9a7f5")
    CHANGED = Colour("#805500", "#e6c15c")
    MOVING = Colour("#0b5cad", "#79b8ff")
    GOOD = Colour("#1b6b34", "#6fd08c")
    OBSCURE = Colour("#7a2e68", "#f0a0d8")
    OUTSIDE = Colour("#75603f", "#cdb994")
    QUIET = Colour("#5a6270", "#a7b0bd")


PAGE = {
    "page": Colour("#ffffff", "#12161c"),
    "raised": Colour("#f4f6f8", "#1b212a"),
    "line": Colour("#d3d9e0", "#343d49"),
    "text": Colour("#1a1f26", "#e8ecf1"),
    "faint": Colour("#566070", "#a4afbd"),
    "accent": Colour("#0b5cad", "#79b8ff"),
}


def variables(*, dark: bool) -> str:
    """The colours as declarations of CSS custom properties."""
    colours = PAGE | {shade.name.lower(): shade.value for shade in Shade}
    return "".join(f"--{name}:{colour.dark if dark else colour.light};" for name, colour in colours.items())


def classes() -> str:
    """For each shade a class that sets the colour of text and of shapes."""
    return "".join(f".{s.name.lower()}{{color:var(--{s.name.lower()});fill:var(--{s.name.lower()})}}" for s in Shade)


STYLE = (
    f":root{{color-scheme:light dark;{variables(dark=False)}}}"
    # Paper is light, whatever the screen is.
    f"@media screen and (prefers-color-scheme:dark){{:root{{{variables(dark=True)}}}}}"
    f"{_RULES}{classes()}"
)


SCRIPT = """
"use strict";
(() => {
  const form = document.querySelector(".filter");
  const field = (name) => form.elements[name];
  const output = form.querySelector("output");
  const sites = Array.from(document.querySelectorAll("section.site"), (section) => ({
    section,
    site: section.dataset.site,
    shown: true,
    rows: Array.from(section.querySelectorAll("tbody tr"), (row) => ({
      row, badge: row.dataset.badge, provider: row.dataset.provider, text: null, shown: true,
    })),
  }));
  const total = sites.reduce((sum, site) => sum + site.rows.length, 0);
  const show = (item, element, wanted) => {
    if (item.shown !== wanted) element.hidden = !(item.shown = wanted);
  };
  const apply = () => {
    const words = field("text").value.toLowerCase().split(/\\s+/).filter(Boolean);
    const badge = field("badge").value, site = field("site").value, provider = field("provider").value;
    let count = 0;
    for (const item of sites) {
      let any = false;
      for (const entry of item.rows) {
        let wanted = (!site || site === item.site) && (!badge || badge === entry.badge)
          && (!provider || provider === entry.provider);
        if (wanted && words.length) {
          entry.text ??= `${item.site} ${entry.row.textContent}`.toLowerCase();
          wanted = words.every((word) => entry.text.includes(word));
        }
        show(entry, entry.row, wanted);
        if (wanted) { any = true; count += 1; }
      }
      show(item, item.section, any || (item.rows.length === 0 && (!site || site === item.site)));
    }
    output.textContent = `${count.toLocaleString("en")} of ${total.toLocaleString("en")} connections shown`;
  };
  let waiting = 0;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 120); });
  form.addEventListener("submit", (event) => { event.preventDefault(); apply(); });
  form.hidden = false;
  apply();
})();
"""
