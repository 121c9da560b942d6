#include "bennu/runtime/simulation/failure_page.hpp"

namespace bennu::detail {

const char* const failure_page_template = R"page(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simulation failure</title>
<style>
:root { color-scheme: light dark; --back: #fbfbfa; --panel: #fff; --text: #22262b; --faint: #6b737c;
  --line: #dcdfe3; --life: #b9c0c8; --message: #2563c9; --answer: #2d7d46; --timer: #8a6d1b; --bad: #c4302b;
  --bad-back: #fdeceb; }
@media (prefers-color-scheme: dark) {
  :root { --back: #16181b; --panel: #1e2125; --text: #e3e6ea; --faint: #98a1ab; --line: #33383e; --life: #4a525b;
    --message: #78aaf5; --answer: #7cc893; --timer: #d9b95f; --bad: #ff8079; --bad-back: #3a2222; } }
* { box-sizing: border-box; }
body { margin: 0; height: 100vh; display: flex; flex-direction: column; background: var(--back); color: var(--text);
  font: 14px/1.45 system-ui, sans-serif; }
header { padding: 14px 20px 10px; border-bottom: 1px solid var(--line); background: var(--panel); max-height: 48vh; overflow: auto; }
h1 { font-size: 17px; margin: 0 0 6px; }
h1 small { font-weight: normal; color: var(--faint); }
pre, code { font: 12.5px/1.45 ui-monospace, monospace; }
pre { margin: 6px 0; padding: 8px 10px; background: var(--back); border: 1px solid var(--line); border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere; max-height: 9em; overflow: auto; }
pre.why { background: var(--bad-back); border-color: transparent; }
details summary { cursor: pointer; color: var(--bad); font-weight: 600; }
details button { border: 0; padding: 0; background: none; color: inherit; font: inherit; text-align: left; cursor: pointer; }
details button:hover { text-decoration: underline; }
details ol { margin: 4px 0 4px; padding-left: 28px; }
.bar { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; padding: 8px 20px; border-bottom: 1px solid var(--line);
  background: var(--panel); }
.bar input[type=search] { width: 260px; padding: 5px 9px; border: 1px solid var(--life); border-radius: 6px; font: inherit;
  background: var(--back); color: inherit; }
.bar label { display: inline-flex; gap: 5px; align-items: center; white-space: nowrap; }
.bar button, .bar select { padding: 4px 10px; border: 1px solid var(--life); border-radius: 6px; background: var(--back); color: inherit; font: inherit; }
.bar button:disabled { opacity: .45; }
#shown { color: var(--faint); }
main { flex: 1; overflow: auto; min-height: 180px; }
#heads { position: sticky; top: 0; min-width: 100%; z-index: 1; background: var(--panel); border-bottom: 1px solid var(--line); height: 46px; }
#heads button { position: absolute; top: 3px; height: 40px; padding: 2px 4px; border: 0; border-radius: 6px; background: none;
  color: inherit; font: inherit; line-height: 1.25; cursor: pointer; overflow: hidden; text-align: center; }
#heads button:hover, #heads button:focus-visible { background: var(--back); outline: 1px solid var(--life); }
#heads b { display: block; font-size: 12.5px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
#heads span { color: var(--faint); font-size: 11px; }
svg { display: block; font: 11.5px system-ui, sans-serif; }
svg text { fill: var(--text); paint-order: stroke; stroke: var(--back); stroke-width: 4px; stroke-linejoin: round; }
svg .time { fill: var(--faint); font: 11px ui-monospace, monospace; }
svg .life { stroke: var(--life); stroke-width: 1.5; }
svg .rule { stroke: var(--line); stroke-dasharray: 2 4; }
svg g { --ink: var(--message); }
svg g.answer { --ink: var(--answer); }
svg g.timer { --ink: var(--timer); }
svg g.spawn { --ink: var(--faint); }
svg g.lost, svg g.exit.bad, svg g.fault { --ink: var(--bad); }
svg g.exit { --ink: var(--faint); }
svg g line, svg g path { stroke: var(--ink); fill: none; stroke-width: 1.4; }
svg g .head { fill: var(--ink); stroke: none; }
svg g.answer line, svg g.spawn line { stroke-dasharray: 5 3; }
svg g text { fill: var(--ink); }
svg g:hover line { stroke-width: 2.6; }
.none { padding: 30px 20px; color: var(--faint); }
</style>
<header>
  <h1></h1>
  <pre class="why"></pre>
  <div id="faults"></div>
  <pre><code id="replay"></code></pre>
</header>
<div class="bar">
  <select id="run" aria-label="Run"></select>
  <input type="search" id="filter" placeholder="Filter: process, message, reason…" aria-label="Filter">
  <label><input type="checkbox" id="answers" checked> answers</label>
  <label><input type="checkbox" id="timers" checked> timers</label>
  <label><input type="checkbox" id="spawns" checked> spawns</label>
  <button id="earlier">Earlier</button><button id="later">Later</button>
  <span id="shown"></span>
</div>
<main tabindex="0"><div id="heads"></div><div id="chart"></div></main>
<script type="application/json" id="data">@data@</script>
<script>
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const $ = id => document.getElementById(id);
const at_once = 400, left = 110, column = 150, row = 24;
const short = text => text.replace(/\(anonymous namespace\)::/g, '').replace(/\b[A-Za-z_]\w*::/g, '');
const seconds = us => (us / 1e6).toFixed(6) + ' s';
let last = Infinity, first = 0, y_of;

document.title = data.test + ' · seed ' + data.seed;
const h1 = document.querySelector('h1');
h1.textContent = data.test + ' ';
h1.append(Object.assign(document.createElement('small'), {textContent: 'failed with seed ' + data.seed
  + (data.unrepeated ? '; this equal run did not' : '')}));
document.querySelector('.why').textContent = data.message;
$('replay').textContent = data.replay;
if (data.faults.length) {
  const details = document.createElement('details');
  details.open = data.faults.length <= 6;
  details.innerHTML = '<summary></summary><ol></ol>';
  details.firstChild.textContent = data.faults.length === 1 ? '1 injected fault' : data.faults.length + ' injected faults';
  data.faults.forEach((fault, i) => {
    const button = Object.assign(document.createElement('button'), {textContent: fault, title: 'Show it', onclick: () => show_fault(i)});
    details.lastChild.append(Object.assign(document.createElement('li')));
    details.lastChild.lastChild.append(button);
  });
  $('faults').append(details);
}
data.runs.forEach((run, i) => $('run').append(new Option('Run ' + (i + 1) + (run.hung ? ' (hung)' : run.status ? ' (failed)' : ''), i)));
$('run').hidden = data.runs.length < 2;
$('run').value = Math.max(0, data.runs.length - 1);

const label_of = (run, pid) => {
  const process = run.processes[pid];
  return process ? process.name || short(process.type) : pid;
};

function matching(run) {
  const words = $('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
  return run.events.filter(e => {
    if (e.kind === 'spawn' && !$('spawns').checked) return false;
    if (e.timer && !$('timers').checked) return false;
    if (e.kind === 'answer' && !e.timer && !$('answers').checked) return false;
    const text = [e.text, e.kind, ...[e.from, e.to].filter(Boolean).flatMap(pid =>
      [pid, label_of(run, pid), run.processes[pid] ? run.processes[pid].type : ''])].join(' ').toLowerCase();
    return words.every(word => text.includes(word));
  });
}

// The faults of all runs, in order, are the fault events of their traces, as far as these go back.
function show_fault(index) {
  const marks = data.runs.flatMap((run, i) => run.events.filter(e => e.kind === 'fault').map(event => ({i, event})));
  const mark = marks[index - (data.faults.length - marks.length)];
  if (!mark) return;
  $('run').value = mark.i;
  $('filter').value = '';
  last = matching(data.runs[mark.i]).indexOf(mark.event) + at_once / 2;
  draw();
  document.querySelector('main').scrollTop = y_of.get(mark.event).start - 120;
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  element.append(...children);
  return element;
}

function head(x, y, angle) {
  return svg('path', {class: 'head', d: 'M0 0 L-9 -4 L-9 4 Z', transform: `translate(${x} ${y}) rotate(${angle})`});
}

const cut = (text, length) => text.length > length ? text.slice(0, length - 1) + '…' : text;

function draw() {
  const run = data.runs[$('run').value];
  const all = run ? matching(run) : [];
  last = Math.min(last, all.length);
  first = Math.max(0, last - at_once);
  const events = all.slice(first, last);
  $('earlier').disabled = first === 0;
  $('later').disabled = last === all.length;
  const left_out = [];
  if (first > 0) left_out.push(first + ' earlier');
  if (last < all.length) left_out.push((all.length - last) + ' later');
  if (run && run.events.length > all.length) left_out.push((run.events.length - all.length) + ' by the filter');
  if (run && run.forgotten) left_out.push(run.forgotten + ' that the trace no longer holds');
  $('shown').textContent = events.length + ' events' + (left_out.length ? '; left out: ' + left_out.join(', ') : '');
  $('heads').replaceChildren();
  $('chart').replaceChildren();
  if (!events.length) {
    $('chart').append(Object.assign(document.createElement('div'), {className: 'none', textContent: 'Nothing to show.'}));
    return;
  }

  // A message has one row when it is sent and another when it runs, if that is later.
  const rows = [];
  events.forEach((event, i) => {
    rows.push({time: event.sent, order: i, event, part: 'start'});
    const end = event.ran ?? event.arrived;
    if (end !== undefined && end > event.sent) rows.push({time: end, order: i, event, part: 'end'});
  });
  rows.sort((a, b) => a.time - b.time || a.order - b.order);
  y_of = new Map();
  rows.forEach((r, i) => {
    const y = 30 + i * row;
    const ys = y_of.get(r.event) || {start: y, end: y};
    ys[r.part] = y;
    if (r.part === 'start' && ys.end < y) ys.end = y;
    y_of.set(r.event, ys);
  });
  const columns = new Map();
  for (const event of events) for (const pid of [event.from, event.to])
    if (pid && !columns.has(pid)) columns.set(pid, columns.size);
  const x_of = pid => left + column / 2 + columns.get(pid) * column;
  const width = left + columns.size * column + 160, height = 50 + rows.length * row;

  $('heads').style.width = width + 'px';
  for (const pid of columns.keys()) {
    const button = document.createElement('button');
    button.style.left = (x_of(pid) - column / 2 + 4) + 'px';
    button.style.width = (column - 8) + 'px';
    button.title = (run.processes[pid] ? run.processes[pid].type : '') + ' ' + pid + ': show only this';
    button.append(Object.assign(document.createElement('b'), {textContent: label_of(run, pid)}),
      Object.assign(document.createElement('span'), {textContent: pid}));
    button.onclick = () => { $('filter').value = $('filter').value === pid ? '' : pid; last = Infinity; draw(); };
    $('heads').append(button);
  }

  const chart = svg('svg', {width, height, role: 'img', 'aria-label': 'Messages in order'});
  let shown_time;
  rows.forEach((r, i) => {
    const y = 30 + i * row;
    if (r.time === shown_time) return;
    shown_time = r.time;
    chart.append(svg('line', {class: 'rule', x1: left - 4, y1: y, x2: width, y2: y}),
      svg('text', {class: 'time', x: 10, y: y + 4}, seconds(r.time)));
  });
  for (const pid of columns.keys()) {
    const born = events.find(e => e.kind === 'spawn' && e.to === pid);
    const died = events.find(e => e.kind === 'exit' && e.to === pid);
    chart.append(svg('line', {class: 'life', x1: x_of(pid), x2: x_of(pid), y1: born ? y_of.get(born).start : 0,
      y2: died ? y_of.get(died).start : height}));
  }
  for (const event of events) {
    const {start, end} = y_of.get(event), to = event.to && x_of(event.to), from = event.from && x_of(event.from);
    const good_end = /^(normal|shutdown)/.test(event.text);
    const group = svg('g', {class: [event.kind, event.timer && 'timer', event.lost && 'lost', event.kind === 'exit' && !good_end && 'bad']
      .filter(Boolean).join(' ')});
    const where = pid => pid ? label_of(run, pid) + ' ' + pid : '';
    group.append(svg('title', {}, event.kind + ' ' + event.text + '\n' + [where(event.from), where(event.to)].filter(Boolean).join(' → ')
      + '\nat ' + seconds(event.sent) + (event.ran !== undefined ? ', handled at ' + seconds(event.ran) : event.kind === 'message' ? ', not handled' : '')));
    if (event.kind === 'fault') {
      const x = to || left + 10;
      group.append(svg('line', {x1: left - 4, y1: start, x2: width, y2: start, 'stroke-dasharray': '6 4'}),
        svg('path', {class: 'head', d: 'M2 -11 L-6 2 L-1 2 L-3 11 L6 -3 L1 -3 Z', transform: `translate(${x} ${start})`}),
        svg('text', {x: x + 12, y: start - 5, 'font-weight': 600}, short(event.text)));
    } else if (event.kind === 'exit') {
      group.append(svg('path', {d: `M${to - 6} ${start - 6} l12 12 m0 -12 l-12 12`, 'stroke-width': 2.2}),
        svg('text', {x: to + 11, y: start + 4}, cut(short(event.text), 60)));
    } else if (!from || from === to) {
      // From a timer, from outside, or to itself.
      const mark = from ? `M${to} ${start} h26 v${Math.max(end - start, 9)} h-18` : `M${to - 34} ${end} H${to - 8}`;
      if (from) group.append(svg('path', {d: mark}), head(to, Math.max(end, start + 9), 180));
      else group.append(svg('line', {x1: to - 34, y1: end, x2: to - 8, y2: end}), head(to, end, 0));
      if (event.timer) group.append(svg('path', {d: `M${to - 40} ${end - 5} a5 5 0 1 0 .01 0 m0 1.5 v3.5 h3`}));
      group.append(svg('text', {x: to + (from ? 30 : 8), y: end + 4}, cut(short(event.text), 30)));
    } else {
      const angle = Math.atan2(end - start, to - from) * 180 / Math.PI;
      const length = Math.hypot(end - start, to - from), share = (length - 8) / length;
      group.append(svg('line', {x1: from, y1: start, x2: from + (to - from) * share, y2: start + (end - start) * share}), head(to, end, angle));
      if (event.kind !== 'answer' || event.text !== 'reply') {
        const text = event.kind === 'spawn' ? 'spawn' : short(event.text);
        const toward = to > from ? 1 : -1;
        group.append(svg('text', end === start
          ? {x: (from + to) / 2, y: start - 4, 'text-anchor': 'middle'}
          : {x: from + 10 * toward, y: start + 3, 'text-anchor': toward > 0 ? 'start' : 'end'}, cut(text, 34)));
      }
    }
    chart.append(group);
  }
  $('chart').append(chart);
}

for (const id of ['answers', 'timers', 'spawns', 'run']) $(id).onchange = () => { last = Infinity; draw(); };
$('filter').oninput = () => { last = Infinity; draw(); };
$('earlier').onclick = () => { last = first; draw(); };
$('later').onclick = () => { last = last + at_once; draw(); };
draw();
document.querySelector('main').scrollTop = 1e9;
</script>
</html>
)page";

}  // namespace bennu::detail
