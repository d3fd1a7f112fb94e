// Charts, copying, and times in the reader's own zone. Everything on a page works without this; it is nicer with it.
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function times(root) {
    const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
    for (const each of root.querySelectorAll("time[datetime]")) {
      if (each.dateTime) each.title = format.format(new Date(each.dateTime));
    }
  }

  function draw(figure) {
    const plot = figure.querySelector(".plot");
    const data = JSON.parse(figure.dataset.chart);
    if (!plot || !window.uPlot || !data.times.length) return;
    const unit = figure.dataset.unit;
    const say = (_, value) => (value === null ? "–" : value.toLocaleString() + (unit ? " " + unit : ""));
    const days = data.times.at(-1) - data.times[0] > 2 * 86400;
    const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
    const clock = new Intl.DateTimeFormat(undefined, days ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
    const options = {
      width: plot.clientWidth, height: 200,
      scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
      axes: [{ ...axis, values: (_, splits) => splits.map((at) => clock.format(at * 1000)) }, { ...axis, size: 60, values: (_, splits) => splits.map((value) => value.toLocaleString()) }],
      series: [{ value: (_, at) => (at === null ? "–" : moment.format(at * 1000)) }, ...data.lines.map((line, place) => ({
        label: line.label, stroke: colour("--line-" + (place % 4 + 1)), width: 2, value: say, spanGaps: false, points: { show: line.points.includes(null) || data.times.length < 3, size: 4 },
      }))],
    };
    plot.replaceChildren();
    new uPlot(options, [data.times, ...data.lines.map((line) => line.points)], plot);
  }

  function charts(root) {
    root.querySelectorAll(".chart").forEach(draw);
  }

  function countdowns() {
    for (const each of document.querySelectorAll("[data-until]")) {
      const left = Math.round(Number(each.dataset.until) - Date.now() / 1000);
      each.textContent = left > 0 ? `in ${left} s` : "now";
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const word = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = word; }, 1500);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-more]");
    if (!button) return;
    const template = button.previousElementSibling;
    template.before(template.content.cloneNode(true));
    const added = template.previousElementSibling;
    (added.matches("input") ? added : added.querySelector("input, select")).focus();
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-all]")) return;
    for (const box of document.querySelectorAll(`input[name="${event.target.dataset.all}"]`)) box.checked = event.target.checked;
  });

  // Numbers beside the lines of a text, those with something wrong marked.
  function number(lined) {
    const [gutter, text] = lined.children;
    const wrong = new Set([...(lined.nextElementSibling?.querySelectorAll("[data-line]") ?? [])].map((each) => each.dataset.line));
    gutter.replaceChildren(...text.value.split("\n").map((_, place) => {
      const line = document.createElement("span");
      line.textContent = place + 1;
      line.classList.toggle("wrong", wrong.has(line.textContent));
      return line;
    }));
    gutter.scrollTop = text.scrollTop;
  }

  const numbers = () => document.querySelectorAll(".lined").forEach(number);
  document.addEventListener("input", (event) => { const lined = event.target.closest(".lined"); if (lined) number(lined); });
  document.addEventListener("scroll", (event) => { if (event.target.matches?.(".lined textarea")) event.target.previousElementSibling.scrollTop = event.target.scrollTop; }, true);

  document.addEventListener("htmx:afterSettle", (event) => { times(event.target); charts(event.target); numbers(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts(document));
  let resizing;
  addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(() => charts(document), 150); });
  setInterval(countdowns, 1000);
  times(document);
  charts(document);
  numbers();
  countdowns();
})();
