// One flow: both tuples, what NAT makes of them, counters, life, and how the service knows it.

import { breakable, bytes, count, duration, el, endpoint, facts, fill, measure, setText, table, time } from './words.js';

const REFRESH_EVERY = 2; // samples

const ORIGINS = {
  event: 'The kernel reported its start by an event: it was seen from its first packet on.',
  dump: 'It was found in a dump of the kernel’s table: it began before the service did, or while events were lost. Its beginning is known '
    + 'only where the kernel keeps timestamps.',
  audit: 'An audit found it: it had begun without an event.',
};

const STATUS = {
  EXPECTED: 'belongs to another flow, whose helper expected it (FTP data, SIP media)',
  SEEN_REPLY: 'packets were seen in both directions',
  ASSURED: 'is not evicted when the table is full',
  CONFIRMED: 'its first packet has left the machine',
  SRC_NAT: 'its source is translated',
  DST_NAT: 'its destination is translated',
  SEQ_ADJUST: 'TCP sequence numbers are adjusted, since a helper changed a payload’s length',
  SRC_NAT_DONE: 'source NAT is decided',
  DST_NAT_DONE: 'destination NAT is decided',
  DYING: 'is being removed',
  FIXED_TIMEOUT: 'its timeout does not restart with each packet',
  TEMPLATE: 'a template, not a connection',
  UNTRACKED: 'is not tracked',
  HELPER: 'a helper was assigned to it',
  OFFLOAD: 'is in a flow table, which forwards it past the packet filter',
  HW_OFFLOAD: 'the network card forwards it',
};

const at = id => document.getElementById(id);

export class FlowView {
  #service;
  #id = null;
  #turn = 0;
  #seen = false;
  #request = null;

  constructor(service) {
    this.#service = service;
  }

  show(id) {
    if (id !== this.#id) {
      this.#seen = false;
      setText(at('flow-title'), 'Flow');
      setText(at('flow-note'), 'Looking it up …');
      at('flow-body').replaceChildren();
    }
    this.#id = id;
    this.#turn = 0;
    this.#load();
  }

  hide() {
    this.#request?.abort();
    this.#request = null;
  }

  onSample() {
    if (++this.#turn % REFRESH_EVERY === 0 && this.#request === null)
      this.#load();
  }

  onConnected() {
    this.#load();
  }

  async #load() {
    this.#request?.abort();
    const request = this.#request = new AbortController();
    try {
      const flow = await this.#service.get(`v1/flows/${encodeURIComponent(this.#id)}`, request.signal);
      if (this.#request !== request)
        return;
      this.#seen = true;
      setText(at('flow-note'), '');
      at('flow-body').classList.remove('over');
      this.#draw(flow);
    } catch (problem) {
      if (request.signal.aborted)
        return;
      const isGone = problem.type === '/problems/no-such-flow';
      at('flow-body').classList.toggle('over', isGone);
      setText(at('flow-note'), isGone && this.#seen
        ? 'This flow has ended. Below is what was last known; its end record in the flow log has the rest.' : problem.message);
    } finally {
      if (this.#request === request)
        this.#request = null;
    }
  }

  #draw(flow) {
    const proto = flow.proto ?? `protocol ${flow.proto_num}`;
    const name = `${proto} ${endpoint(flow.src, flow.sport)} → ${endpoint(flow.dst, flow.dport)}`;
    setText(at('flow-title'), name);
    document.title = `${name} – ConntrackStream`;
    const card = (title, ...content) => el('section', { class: 'card' }, el('h2', {}, title), ...content);
    const now = Date.parse(flow.time), start = Date.parse(flow.start);
    const icmp = flow.icmp_type === undefined ? []
      : [['ICMP', `type ${flow.icmp_type}, code ${flow.icmp_code}, id ${flow.icmp_id ?? '–'}`]];
    const links = el('p', { class: 'links' },
      search(`Flows from ${flow.src}`, { src: flow.src }), search(`Flows to ${flow.dst}`, { dst: flow.dst }),
      flow.dport === undefined ? null : search(`${proto} to port ${flow.dport}`, { proto, dport: flow.dport }));
    const content = el('div', { class: 'cards' },
      card('Tuples', table('Tuples', ['Direction', 'From', 'To'], [
        ['Original', breakable(flow.src, flow.sport), breakable(flow.dst, flow.dport)],
        ['Reply', breakable(flow.reply_src, flow.reply_sport), breakable(flow.reply_dst, flow.reply_dport)],
      ], ''), el('h3', {}, 'Translation'), ...explain(flow).map(text => el('p', {}, text)), links),
      card('Counters', flow.tx_packets === undefined && flow.rx_packets === undefined
        ? el('p', { class: 'none' }, 'The kernel does not count (net.netfilter.nf_conntrack_acct).')
        : table('Counters', ['Direction', 'Packets', 'Bytes'], [
          ['Original', flow.tx_packets, measure(bytes(flow.tx_bytes))],
          ['Reply', flow.rx_packets, measure(bytes(flow.rx_bytes))],
        ], '')),
      card('Life', facts([
        ['State', flow.tcp_state ?? (flow.status?.includes('SEEN_REPLY') ? 'both directions seen' : 'no reply seen')],
        ['Began', flow.start ? el('time', { datetime: flow.start }, time(flow.start)) : 'unknown'],
        ['Age', flow.start ? duration((now - start) / 1000) : 'unknown'],
        ['As of', el('time', { datetime: flow.time }, time(flow.time))],
      ]), el('h3', {}, 'How it is known'), el('p', {}, ORIGINS[flow.origin] ?? flow.origin)),
      card('Identity', facts([
        ['Flow id', flow.flow_id], ['Conntrack id', flow.ct_id === undefined ? '–' : String(flow.ct_id)],
        ['Host', flow.host + (flow.netns ? `, namespace ${flow.netns}` : '')],
        ['Zone', flow.reply_zone === undefined ? String(flow.zone) : `${flow.zone}; replies ${flow.reply_zone}`],
        ['Mark', flow.mark === undefined ? '–' : `0x${flow.mark.toString(16)} (${count(flow.mark)})`],
        ['Labels', flow.labels ?? '–'], ['Helper', flow.helper ?? '–'], ...icmp,
      ])),
      card('Status', flow.status?.length > 0
        ? el('dl', { class: 'bits' }, ...flow.status.map(bit => el('div', {}, el('dt', {}, bit), el('dd', {}, STATUS[bit] ?? ''))))
        : el('p', { class: 'none' }, 'No status bit is known.')));
    fill(at('flow-body'), content);
  }
}

const search = (text, words) => el('a', { href: `#/flows?${new URLSearchParams(words)}` }, text);

/** What the two tuples say about NAT, in sentences. */
function explain(flow) {
  const source = endpoint(flow.src, flow.sport), seenSource = endpoint(flow.reply_dst, flow.reply_dport);
  const target = endpoint(flow.dst, flow.dport), realTarget = endpoint(flow.reply_src, flow.reply_sport);
  const said = [];
  if (flow.nat === 'snat' || flow.nat === 'both') {
    said.push(`Source NAT: packets of ${source} leave as ${seenSource}. That is the address which ${realTarget} sees and answers; answers `
      + `are sent on to ${source}.`);
  }
  if (flow.nat === 'dnat' || flow.nat === 'both') {
    said.push(`Destination NAT: ${source} connects to ${target}, and its packets go to ${realTarget}; answers come back as if from `
      + `${target}.`);
  }
  if (flow.nat === 'none')
    said.push('None: the reply’s tuple is the original’s, reversed.');
  if (flow.nat === undefined)
    said.push('Unknown: the reply’s tuple is not known.');
  return said;
}
