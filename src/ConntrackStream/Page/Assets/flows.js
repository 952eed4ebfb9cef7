// The list of flows: a window of rows over pages that are fetched as they come into sight.

import { FlowPages } from './pages.js';
import { parseWords, toWords } from './filter.js';
import { bytes, count, duration, el, endpoint, plural, setText } from './words.js';

const TALLEST = 8_000_000; // px: what all browsers can lay out; a longer list is scrolled at a scale
const REFRESH_EVERY = 5; // samples
const REST = 90; // ms without scrolling before a page far away is fetched

const at = id => document.getElementById(id);

export class Flows {
  #service;
  #pages = null;
  #query = null;
  #top = 0; // px of the list above the window
  #scrolled = 0; // where the scrollbar was when #top was set
  #rows = []; // elements; row n of the list is in n % length
  #active = 0; // row that Tab leads to
  #height = 32;
  #rest = 0;
  #turn = 0;
  #isShown = false;

  constructor(service) {
    this.#service = service;
    at('filter').addEventListener('submit', event => {
      event.preventDefault();
      this.#apply();
    });
    at('clear').addEventListener('click', () => {
      at('words').value = '';
      this.#apply();
      at('words').focus();
    });
    at('scroller').addEventListener('scroll', () => this.#onScroll(), { passive: true });
    at('scroller').addEventListener('keydown', event => this.#onKey(event));
    at('rows').addEventListener('focusin', event => {
      const row = event.target.closest('[data-at]');
      if (row)
        this.#activate(Number(row.dataset.at));
    });
    new ResizeObserver(() => {
      if (this.#isShown)
        this.#lay();
    }).observe(at('scroller'));
  }

  /** @param query URLSearchParams of the filter. */
  show(query) {
    this.#isShown = true;
    if (this.#pages && query.toString() === this.#query.toString()) {
      at('scroller').scrollTop = this.#scrolled;
      this.#lay();
      this.#pages.refresh(this.#pagesInSight());
      return;
    }
    this.#begin(query);
    at('words').value = toWords(query);
  }

  hide() {
    this.#isShown = false;
    this.#pages?.pause();
  }

  /** Of a service that has been away: cursors of an earlier run of it are of no use. */
  onConnected() {
    if (this.#isShown)
      this.#begin(this.#query, this.#top);
    else
      this.#pages = null;
  }

  onSample() {
    if (++this.#turn % REFRESH_EVERY === 0 && at('keep-up').checked && at('scroller').dataset.moving !== 'yes')
      this.#pages?.refresh(this.#pagesInSight());
  }

  #apply() {
    const { query, fault } = parseWords(at('words').value);
    this.#showFault(fault);
    if (fault)
      return;
    const hash = query.size > 0 ? `#/flows?${query}` : '#/flows';
    if (location.hash === hash)
      this.#begin(query);
    else
      location.hash = hash;
  }

  #showFault(fault) {
    setText(at('words-fault'), fault ?? '');
    if (fault) {
      setText(at('count'), '');
      at('words').setAttribute('aria-invalid', 'true');
    } else {
      at('words').removeAttribute('aria-invalid');
    }
  }

  #begin(query, top = 0) {
    this.#pages?.pause();
    this.#query = query;
    this.#showFault(null);
    const pages = this.#pages = new FlowPages(this.#service, query);
    pages.onChange = () => {
      if (pages === this.#pages && this.#isShown)
        this.#lay();
    };
    pages.onFault = problem => {
      if (pages === this.#pages && problem.status !== 401)
        this.#showFault(problem.message);
    };
    this.#active = 0;
    this.#top = top;
    this.#turn = 0;
    if (top === 0)
      at('scroller').scrollTop = this.#scrolled = 0;
    setText(at('count'), 'Counting …');
    this.#lay();
    pages.count();
  }

  get #viewHeight() {
    return at('scroller').clientHeight - at('table').firstElementChild.offsetHeight;
  }

  get #listHeight() {
    return this.#pages.length * this.#height;
  }

  get #lowest() {
    return Math.max(0, this.#listHeight - this.#viewHeight);
  }

  #first() {
    return Math.floor(this.#top / this.#height);
  }

  #pagesInSight() {
    const first = this.#first(), last = Math.min(this.#pages.length - 1, first + this.#rows.length);
    return this.#pages.of(first, Math.max(first, last));
  }

  #onScroll() {
    const scroller = at('scroller'), moved = scroller.scrollTop - this.#scrolled;
    if (moved === 0)
      return;
    this.#scrolled = scroller.scrollTop;
    const farthest = scroller.scrollHeight - scroller.clientHeight;
    if (this.#scrolled <= 0)
      this.#top = 0;
    else if (this.#scrolled >= farthest - 1)
      this.#top = this.#lowest;
    else if (this.#isScaled && Math.abs(moved) > this.#viewHeight)
      this.#top = this.#scrolled / farthest * this.#lowest; // the scrollbar was dragged
    else
      this.#top = Math.min(this.#lowest, Math.max(0, this.#isScaled ? this.#top + moved : this.#scrolled));
    scroller.dataset.moving = 'yes';
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#onRest(), REST);
    this.#draw(false);
  }

  #onRest() {
    at('scroller').dataset.moving = 'no';
    this.#align();
    this.#draw(true);
  }

  get #isScaled() {
    return this.#listHeight > TALLEST;
  }

  /** Puts the scrollbar where the rows are. */
  #align() {
    const scroller = at('scroller'), farthest = scroller.scrollHeight - scroller.clientHeight;
    const wanted = this.#isScaled && this.#lowest > 0 ? this.#top / this.#lowest * farthest : this.#top;
    if (Math.abs(wanted - scroller.scrollTop) >= 1)
      scroller.scrollTop = wanted;
    this.#scrolled = scroller.scrollTop;
  }

  /** After a change of the list's or the window's size. */
  #lay() {
    this.#height = parseInt(getComputedStyle(at('scroller')).getPropertyValue('--row'), 10);
    const needed = Math.ceil(Math.max(0, this.#viewHeight) / this.#height) + 2;
    if (this.#rows.length !== needed) {
      this.#rows = Array.from({ length: needed }, newRow);
      at('rows').replaceChildren(...this.#rows.map(row => row.element));
    }
    const head = at('table').firstElementChild.offsetHeight;
    at('sizer').style.height = `${Math.max(at('scroller').clientHeight, Math.min(TALLEST, this.#listHeight + head))}px`;
    this.#top = Math.min(this.#top, this.#lowest);
    if (at('scroller').dataset.moving !== 'yes')
      this.#align();
    this.#draw(at('scroller').dataset.moving !== 'yes');
  }

  /** @param isAtRest Fetch what is missing, however far away. */
  #draw(isAtRest) {
    const first = this.#first(), length = this.#pages.length;
    for (let n = first; n < first + this.#rows.length; n++) {
      const row = this.#rows[n % this.#rows.length];
      row.show(n, n < length ? this.#pages.row(n) : null, n < length);
      row.element.style.transform = `translateY(${n * this.#height - this.#top}px)`;
    }
    const last = Math.min(length, Math.floor((this.#top + this.#viewHeight) / this.#height)); // those in sight as a whole
    if (this.#active < first || this.#active >= Math.max(first + 1, last))
      this.#activate(first);
    else
      this.#activate(this.#active);
    at('table').setAttribute('aria-rowcount', this.#pages.isExact ? length + 1 : -1);
    this.#tell(first, last);
    this.#pages.want(this.#pagesInSight(), isAtRest);
  }

  #tell(first, last) {
    const pages = this.#pages;
    if (pages.isCounted)
      setText(at('count'), `${pages.isExact ? '' : 'At least '}${plural(pages.length, 'flow')}`
        + `${this.#query.size > 0 ? ' match' + (pages.length === 1 ? 'es' : '') : ''}`);
    setText(at('position'), last > first ? `rows ${count(first + 1)} to ${count(last)}` : '');
  }

  #activate(n) {
    const before = this.#rows[this.#active % this.#rows.length];
    if (before)
      before.link.tabIndex = -1;
    this.#active = n;
    const row = this.#rows[n % this.#rows.length];
    if (row)
      row.link.tabIndex = 0;
  }

  #onKey(event) {
    const page = Math.max(1, Math.floor(this.#viewHeight / this.#height) - 1);
    const to = { ArrowDown: this.#active + 1, ArrowUp: this.#active - 1, PageDown: this.#active + page, PageUp: this.#active - page,
      Home: 0, End: this.#pages.length - 1 }[event.key];
    if (to === undefined || event.altKey || event.metaKey || this.#pages.length === 0)
      return;
    event.preventDefault();
    const hasFocus = at('rows').contains(document.activeElement);
    this.#goTo(hasFocus || event.key === 'Home' || event.key === 'End' ? Math.min(this.#pages.length - 1, Math.max(0, to)) : this.#active);
  }

  #goTo(n) {
    const top = n * this.#height;
    if (top < this.#top)
      this.#top = top;
    else if (top + this.#height > this.#top + this.#viewHeight)
      this.#top = top + this.#height - this.#viewHeight;
    this.#active = n;
    this.#align();
    this.#draw(true);
    this.#rows[n % this.#rows.length].link.focus({ preventScroll: true });
  }
}

/** A row's elements; used for other flows as the list is scrolled. */
function newRow() {
  const cell = (className, ...children) => el('span', { role: 'cell', class: className }, ...children);
  const link = el('a', { tabindex: -1, class: 'open' });
  const texts = ['state', 'from', 'to', 'nat', 'number', 'number', 'number age'].map(name => cell(name));
  const element = el('div', { role: 'row', class: 'row' }, cell('proto', link), ...texts);
  let shown = null, number = -1;
  return {
    element,
    link,
    show(n, flow, isThere) {
      if (n !== number && document.activeElement === link)
        document.getElementById('scroller').focus({ preventScroll: true }); // the flow that had the focus has left
      if (n === number && flow === shown && element.hidden === !isThere)
        return;
      [number, shown] = [n, flow];
      element.hidden = !isThere;
      element.dataset.at = n;
      element.setAttribute('aria-rowindex', n + 2);
      element.classList.toggle('odd', n % 2 === 1);
      if (flow)
        link.href = `#/flows/${encodeURIComponent(flow.flow_id)}`;
      else
        link.removeAttribute('href');
      setText(link, flow ? flow.proto ?? `protocol ${flow.proto_num}` : '…');
      describe(flow).forEach((text, at) => {
        setText(texts[at], text);
        texts[at].title = at < 4 ? text : '';
      });
    },
  };
}

function describe(flow) {
  if (!flow)
    return ['', '', '', '', '', '', ''];
  const icmp = flow.icmp_type === undefined ? '' : `type ${flow.icmp_type} code ${flow.icmp_code}`;
  return [
    flow.tcp_state ?? (icmp || (flow.status?.includes('SEEN_REPLY') ? 'replied' : flow.status ? 'unreplied' : '')),
    endpoint(flow.src, flow.sport),
    endpoint(flow.dst, flow.dport),
    translation(flow),
    flow.tx_bytes === undefined ? '–' : bytes(flow.tx_bytes),
    flow.rx_bytes === undefined ? '–' : bytes(flow.rx_bytes),
    flow.start ? duration((Date.parse(flow.time) - Date.parse(flow.start)) / 1000) : '–',
  ];
}

function translation(flow) {
  const parts = [];
  if (flow.nat === 'snat' || flow.nat === 'both')
    parts.push(`from ${endpoint(flow.reply_dst, flow.reply_dport)}`);
  if (flow.nat === 'dnat' || flow.nat === 'both')
    parts.push(`to ${endpoint(flow.reply_src, flow.reply_sport)}`);
  return parts.join(', ');
}
