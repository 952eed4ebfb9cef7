// The overview: what is wrong, figures, charts, talkers, loss, and the modules that are on.

import { Chart } from './charts.js';
import { findings } from './findings.js';
import { bytes, count, duration, el, endpoint, facts, fill, measure, plural, rate, setText, table, time } from './words.js';

const SPANS = [['2 minutes', 120], ['5 minutes', 300], ['15 minutes', 900]];
const ROWS = 8; // of talkers
const TOMBSTONES = 12, TOMBSTONES_EVERY = 5; // samples
const MOST_AT_ONCE = 6; // findings

const at = id => document.getElementById(id);
const percent = value => `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
const thousands = value => value >= 1e6 ? `${+(value / 1e6).toFixed(2)} M` : value >= 10_000 ? `${+(value / 1e3).toFixed(1)} k` : rate(value);

export class Overview {
  #service;
  #history;
  #tiles = {};
  #span = 300;
  #charts;
  #turn = 0;

  constructor(service, history) {
    this.#service = service;
    this.#history = history;
    for (const [id, name] of [['flows', 'Live flows'], ['starts', 'New flows a second'], ['table', 'Kernel’s table'],
      ['lost', 'Lost since the start'], ['drift', 'Drift'], ['latency', 'Flow log latency']]) {
      const value = el('span', { class: 'value' }, '–'), more = el('span', { class: 'more' });
      const bar = id === 'table' ? el('progress', { max: 100, value: 0, 'aria-hidden': 'true' }) : null;
      this.#tiles[id] = { value, more, bar };
      at('tiles').append(el('div', { id: `tile-${id}` }, el('dt', {}, name), el('dd', {}, value, bar, more)));
    }

    const h = history;
    this.#charts = [
      [new Chart('Events a second', [{ name: 'new', color: '--one' }, { name: 'updates', color: '--two' }, { name: 'ended', color: '--three' }],
        { format: thousands, marks: () => h.gaps }), () => [h.time, h.started, h.updated, h.ended]],
      [new Chart('Live flows', [{ name: 'flows', color: '--one' }], { format: thousands, area: true }), () => [h.time, h.flows]],
      [new Chart('Kernel’s table', [{ name: 'full', color: '--one' }], { format: percent, max: 100, area: true, spanGaps: true }),
        () => [h.time, h.fill]],
      [new Chart('Flow log latency', [{ name: 'median', color: '--one' }, { name: '99th percentile', color: '--three' }],
        { format: value => value === 0 ? '0' : duration(value), spanGaps: true }), () => [h.time, h.median, h.slow]],
    ];
    at('charts').append(...this.#charts.map(([chart]) => chart.element));
    for (const [name, seconds] of SPANS) {
      const input = el('input', { type: 'radio', name: 'span', value: seconds, checked: seconds === this.#span });
      input.addEventListener('change', () => {
        this.#span = seconds;
        setText(at('span-text'), name);
        this.#draw();
      });
      at('spans').append(el('label', {}, input, el('span', {}, name.replace(' minutes', ' min'))));
    }
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#charts.forEach(([chart]) => chart.repaint()));
  }

  show() {
    this.#turn = 0;
    this.onSample();
    this.onStatus();
  }

  onSample() {
    const sample = this.#history.last;
    if (!sample)
      return;
    const { starts } = this.#tiles;
    setText(starts.value, rate(sample.started / sample.interval));
    setText(starts.more, `${rate(sample.ended / sample.interval)} ended, ${rate(sample.updated / sample.interval)} updates`);
    this.#draw();
    const talkers = (list, by, caption) => table(caption, ['Source', 'New flows', 'Bytes'],
      this.#history.sources(list, by).slice(0, ROWS).map(({ src, started, bytes: sum }) => [
        el('a', { href: `#/flows?src=${encodeURIComponent(src)}` }, src), started, measure(bytes(sum))]), 'None yet.');
    fill(at('by-bytes'), talkers('talkers', 'bytes', 'Sources with the most bytes'));
    fill(at('by-starts'), talkers('starters', 'started', 'Sources with the most new flows'));
    if (this.#history.status?.map && this.#turn++ % TOMBSTONES_EVERY === 0)
      this.#showTombstones();
  }

  onStatus() {
    const status = this.#history.status;
    if (!status)
      return;
    this.#showFindings();
    this.#showTiles(status);
    this.#showLoss(status);
    fill(at('sinks'), table('Sinks', ['Sink', 'Written', 'Waiting batches', 'Dropped'],
      status.sinks.map(sink => [sink.name, sink.written, sink.waiting_batches, sink.dropped]), 'No sink is configured.'));
    at('map-card').hidden = !status.map;
    if (status.map)
      this.#showMap(status.map);
    at('reclassify-card').hidden = !status.reclassify;
    if (status.reclassify)
      this.#showReclassification(status.reclassify);
  }

  #draw() {
    for (const [chart, data] of this.#charts)
      chart.show(data(), this.#span);
  }

  #showFindings() {
    const found = findings(this.#history);
    const shown = found.slice(0, MOST_AT_ONCE);
    const host = at('findings');
    const ids = found.map(one => one.id).join('\n');
    if (host.dataset.ids !== ids) { // read out only when another finding comes or one goes
      host.dataset.ids = ids;
      const level = found.some(one => one.level === 'bad') ? 'bad' : found.length > 0 ? 'warn' : 'good';
      host.dataset.level = level;
      host.replaceChildren(
        found.length === 0
          ? el('p', {}, el('b', {}, 'All is well.'), ' The view equals the kernel’s table, and nothing was lost in the last 5 minutes.')
          : el('ul', {}, ...shown.map(one => el('li', { 'data-level': one.level }, one.text))),
        found.length > shown.length ? el('p', {}, `${found.length - shown.length} more`) : '');
    }
  }

  #showTiles(status) {
    const { flows, table: kernel, lost, drift, latency } = this.#tiles;
    const set = (id, level) => { at(`tile-${id}`).dataset.level = level; };
    setText(flows.value, count(status.view.flows));
    setText(flows.more, `${count(status.view.ipv4)} IPv4, ${count(status.view.ipv6)} IPv6`);
    const full = status.table ? 100 * status.table.entries / status.table.limit : null;
    setText(kernel.value, full === null ? '–' : percent(full));
    kernel.bar.value = full ?? 0;
    setText(kernel.more, status.table
      ? `${count(status.table.entries)} of ${count(status.table.limit)}; ${plural(status.table.drop, 'packet')} dropped since boot`
      : 'the kernel has not answered');
    set('table', full >= 95 ? 'bad' : full >= 80 ? 'warn' : '');
    const gaps = Object.values(status.gaps).reduce((sum, one) => sum + one, 0);
    setText(lost.value, count(status.tap.lost));
    setText(lost.more, `deliveries of the kernel; ${plural(gaps, 'gap')}`);
    set('lost', status.tap.lost > 0 || gaps > 0 ? 'warn' : '');
    const { drift: wrong, last_round: reason, rounds, failed_rounds: failed } = status.view, isAudit = reason === 'audit';
    setText(drift.value, isAudit ? count(wrong) : '–');
    setText(drift.more, isAudit ? `${plural(rounds, 'comparison')} with the kernel, ${count(failed)} failed`
      : reason === null ? 'not compared with the kernel yet' : `no audit since the last ${reason.replaceAll('_', ' ')}, which found ${plural(wrong, 'flow')}`);
    set('drift', isAudit && wrong > 0 ? 'bad' : '');
    const measured = this.#history.latency(60);
    setText(latency.value, measured ? duration(measured.slow) : '–');
    setText(latency.more, !status.flow_log ? 'the flow log is off'
      : measured ? `99 % of the last minute’s records; median ${duration(measured.median)}` : 'no record in the last minute');
  }

  #showLoss(status) {
    const grown = read => this.#history.grown(read);
    const rows = [
      ['Deliveries the kernel refused', s => s.tap.lost],
      ['Event socket opened again', s => s.tap.reconnects],
      ['Malformed messages', s => s.tap.malformed],
      ['Packets dropped, no entry possible', s => s.table?.drop],
      ['Entries pushed out of a full table', s => s.table?.early_drop],
      ['Entries that could not be inserted', s => s.table?.insert_failed],
      ...Object.keys(status.gaps).filter(reason => status.gaps[reason] > 0).map(
        reason => [`Gaps: ${reason.replaceAll('_', ' ')}`, s => s.gaps[reason]]),
      ['Changes a sink was too slow for', s => s.sinks.reduce((sum, sink) => sum + sink.dropped, 0)],
      ['Ends that no event reported', s => s.view.events.swept],
    ];
    fill(at('loss'), table('Loss', ['Kind', 'Since the start', 'Last 5 minutes'],
      rows.map(([name, read]) => [name, read(status) ?? measure('–'), grown(read)]), ''));
  }

  #showMap(map) {
    setText(at('map-path'), `${map.path}, ${map.mode === 'delete' ? 'entries are deleted' : 'dry run'}`);
    const audit = map.last_audit;
    fill(at('map'), facts([
      ['Entries', audit ? `${count(audit.entries)}${map.capacity ? ` of ${count(map.capacity)}` : ''}` : '–'],
      ['With a flow', count(audit?.matched)],
      ['Without', count(map.without_flow)],
      ['Held', count(map.held)],
      ['Tombstones', count(map.tombstones)],
      ['Armed', count(map.armed)],
      ['Would be deleted', count(map.observed)],
      ['Last audit that counted', `${duration(map.since_counted_seconds)} ago`],
    ]));
  }

  async #showTombstones() {
    let answer;
    try {
      answer = await this.#service.get(`v1/tombstones?limit=${TOMBSTONES}`);
    } catch (failure) {
      fill(at('tombstones'), el('p', { class: 'none' }, failure.message));
      return;
    }
    setText(at('tombstones-title'), `Tombstones: ${count(answer.total)}`
      + `${answer.total > answer.tombstones.length ? `, ${count(answer.tombstones.length)} of them here` : ''}`);
    fill(at('tombstones'), table('Tombstones', ['Entry', 'State', 'Evidence', 'Since', 'Nominated'],
      answer.tombstones.map(one => [
        `${one.proto} ${endpoint(one.src, one.sport)} → ${endpoint(one.dst, one.dport)}`,
        one.state,
        one.flow_id ? el('span', {}, 'its flow ended: ', el('a', { href: `#/flows/${encodeURIComponent(one.flow_id)}` }, `ct id ${one.ct_id}`))
          : `${plural(one.misses, 'audit')} in a row found no flow`,
        el('time', { datetime: one.since }, time(one.since)),
        el('time', { datetime: one.nominated }, time(one.nominated)),
      ]), 'No entry is nominated for deletion.'));
  }

  #showReclassification(figures) {
    setText(at('reclassify-mode'), figures.mode === 'act' ? 'flows are moved' : 'dry run: nothing is changed');
    const words = name => name.replaceAll('_', ' ');
    const nonzero = entries => Object.entries(entries).filter(([, value]) => value > 0).map(([name, value]) => [words(name), value]);
    const part = (title, content) => el('section', {}, el('h3', {}, title), content);
    const content = el('div', { class: 'columns' },
      part('Actions', facts([['Misplaced', count(figures.misplaced)], ['Reset', count(figures.resets)], ['Deleted', count(figures.deleted)],
        ['Re-marked', count(figures.remarked)], ['Pending', count(figures.pending)], ['Under the flap guard', count(figures.guarded)]])),
      part('Outcomes', table('Outcomes', ['Outcome', 'Flows'], Object.entries(figures.outcomes).map(([name, value]) => [words(name), value]), 'None.')),
      part('Left alone', table('Refusals', ['Reason', 'Flows'], nonzero(figures.refused), 'None.')));
    fill(at('reclassify'), content);
  }
}
