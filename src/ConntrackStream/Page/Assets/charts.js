// One chart of the page's history with uPlot; its legend shows the values under the pointer, else the latest.

import { el, setText } from './words.js';

const HEIGHT = 140;
const PADDING = [8, 8, 0, 0];
const sync = uPlot.sync('time');

export class Chart {
  #plot = null;
  #values = [];
  #host = el('div', { class: 'plot', role: 'img' });
  #data = [[]];

  /**
   * @param series [{ name, color }]; color: a variable of page.css.
   * @param options format: of values; max: of the scale; area: fills below the first series; marks: draws a line at each time where this
   *   column is above 0, read by a function.
   */
  constructor(title, series, options) {
    Object.assign(this, { title, series, options });
    const legend = series.map(({ name, color }) => {
      const value = el('b', {}, '–');
      this.#values.push(value);
      const swatch = el('i', { 'aria-hidden': 'true' });
      swatch.style.background = `var(${color})`;
      return el('span', {}, swatch, `${name} `, value);
    });
    this.when = el('span', { class: 'when', 'aria-hidden': 'true' });
    this.element = el('figure', {},
      el('figcaption', {}, el('span', { class: 'title' }, title), el('span', { class: 'legend' }, ...legend), this.when), this.#host);
    this.#host.setAttribute('aria-label', `Chart: ${title} (${series.map(one => one.name).join(', ')})`);
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry.contentRect.width);
      if (width > 0 && this.#plot)
        this.#plot.setSize({ width, height: HEIGHT });
      else if (width > 0)
        this.#make(width);
    }).observe(this.#host);
  }

  /** @param span Seconds shown, up to the latest. */
  show(data, span) {
    this.#data = data;
    this.span = span;
    this.#plot?.setData(data);
    this.#tell();
  }

  /** The colours have changed. */
  repaint() {
    const width = this.#plot?.width;
    this.#plot?.destroy();
    this.#plot = null;
    if (width)
      this.#make(width);
  }

  #make(width) {
    const css = getComputedStyle(document.documentElement);
    const color = name => css.getPropertyValue(name).trim();
    const axis = { stroke: color('--quiet'), grid: { stroke: color('--grid'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
    const { format, max, area, marks } = this.options;
    this.#plot = new uPlot({
      width,
      height: HEIGHT,
      padding: PADDING,
      legend: { show: false },
      cursor: { sync: { key: sync.key }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { range: (_, first, last) => [last - (this.span ?? 300), last || 1] },
        y: { range: (_, low, high) => [0, max ?? (high > 0 ? high * 1.1 : 1)] },
      },
      axes: [
        { ...axis, size: 24, space: 70, values: (_, times) => times.map(at => new Date(at * 1000).toTimeString().slice(0, 5)), incrs: [60, 120, 300] },
        { ...axis, size: 56, space: 34, values: (_, values) => values.map(value => format(value)) },
      ],
      series: [{}, ...this.series.map(({ color: name }, at) => ({
        stroke: color(name), width: 1.75, points: { show: false }, spanGaps: this.options.spanGaps ?? false,
        fill: area && at === 0 ? `${color(name)}22` : undefined,
      }))],
      hooks: {
        setCursor: [plot => this.#tell(plot.cursor.idx)],
        draw: marks ? [plot => this.#mark(plot, marks(), color('--bad'))] : [],
      },
    }, this.#data, this.#host);
  }

  #mark(plot, losses, color) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = color;
    losses.forEach((lost, at) => {
      const x = lost > 0 ? plot.valToPos(this.#data[0][at], 'x', true) : -1;
      if (x >= bbox.left && x <= bbox.left + bbox.width)
        ctx.fillRect(x - 1, bbox.top, 2, bbox.height);
    });
    ctx.restore();
  }

  #tell(index) {
    const times = this.#data[0];
    const isPointed = Number.isInteger(index) && index < times.length;
    setText(this.when, isPointed ? new Date(times[index] * 1000).toTimeString().slice(0, 8) : '');
    this.#values.forEach((host, at) => {
      const column = this.#data[at + 1] ?? [];
      const value = isPointed ? column[index] : column.findLast(one => one !== null);
      setText(host, value === null || value === undefined ? '–' : this.options.format(value));
    });
  }
}
