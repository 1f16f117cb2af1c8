"""The script of reports: search and filter, and nothing else. Without it the page shows everything."""

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
