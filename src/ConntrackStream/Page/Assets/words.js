// Text for people, and elements that hold it. All outside text goes in by textContent.

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

/** An element: text for strings, attributes without any that hold code or style. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true)
      element.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(key, value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

/** Sets text only where it differs: what has not changed is not laid out, and not read out. */
export function setText(element, text) {
  if (element.textContent !== text)
    element.textContent = text;
}

export const count = value => value === null || value === undefined ? '–' : whole.format(value);

/** Two or three digits that matter: a rate, a percentage. */
export const rate = value => value === null || value === undefined ? '–'
  : value >= 1000 ? whole.format(Math.round(value)) : short.format(value);

export function bytes(value) {
  if (value === null || value === undefined)
    return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++)
    value /= 1000;
  return `${short.format(value)} ${units[unit]}`;
}

/** Seconds, as one or two units. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds))
    return '–';
  if (seconds < 0.001)
    return `${short.format(seconds * 1e6)} µs`;
  if (seconds < 1)
    return `${short.format(seconds * 1e3)} ms`;
  if (seconds < 60)
    return `${seconds < 10 ? seconds.toFixed(1) : Math.floor(seconds)} s`;
  const units = [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]];
  const at = units.findIndex(([, size]) => seconds >= size);
  const [name, size] = units[at];
  const rest = Math.floor(seconds % size / units[at + 1][1]);
  return `${Math.floor(seconds / size)} ${name}${rest > 0 ? ` ${rest} ${units[at + 1][0]}` : ''}`;
}

export function time(text) {
  const date = new Date(text);
  const isToday = date.toDateString() === new Date().toDateString();
  return Number.isNaN(date.getTime()) ? '–' : isToday ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

/** 10.0.0.1:443, [2001:db8::1]:443, or the address alone. */
export const endpoint = (address, port) => address === undefined ? '–'
  : port === undefined ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** The same, which may be broken before the port. */
export const breakable = (address, port) => address === undefined || port === undefined ? endpoint(address, port)
  : el('span', {}, endpoint(address, port).slice(0, -`:${port}`.length), el('wbr'), `:${port}`);

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** A table with a caption for screen readers; a cell is a text, a number or an element. */
export function table(caption, heads, rows, empty) {
  if (rows.length === 0)
    return el('p', { class: 'none' }, empty);
  const isNumber = heads.map((_, at) => rows.every(row => typeof row[at] === 'number' || row[at]?.isNumber));
  const cell = (value, at) => {
    const content = typeof value === 'number' ? count(value) : value?.isNumber ? value.text : value ?? '–';
    return at === 0 ? el('th', { scope: 'row' }, content) : el('td', { class: isNumber[at] ? 'number' : null }, content);
  };
  return el('table', {},
    el('caption', { class: 'unseen' }, caption),
    el('thead', {}, el('tr', {}, ...heads.map((head, at) => el('th', { scope: 'col', class: isNumber[at] ? 'number' : null }, head)))),
    el('tbody', {}, ...rows.map(row => el('tr', {}, ...row.map(cell)))));
}

/** A number with its unit, for a table's cell. */
export const measure = text => ({ text, isNumber: true });

/** Names with their values, each a text or an element. */
export const facts = pairs =>
  el('dl', { class: 'facts' }, ...pairs.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));

/** Puts the new content in, unless it is the same and has no focus to lose. */
export function fill(host, content) {
  const old = host.firstElementChild;
  if (old && old.isEqualNode(content))
    return;
  if (host.contains(document.activeElement)) { // the link that has the focus keeps it
    const href = document.activeElement.getAttribute('href');
    host.replaceChildren(content);
    [...host.querySelectorAll('a')].find(link => link.getAttribute('href') === href)?.focus();
    return;
  }
  host.replaceChildren(content);
}
