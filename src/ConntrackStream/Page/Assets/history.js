// What the page has seen since it was opened: samples for the charts and the talkers, statuses for what grew.

const KEPT = 15 * 60; // seconds of charts
const STATUSES = 5 * 60; // seconds

export class History {
  /** Columns for the charts, one value each sample; null: none. */
  time = [];
  started = [];
  updated = [];
  ended = [];
  gaps = [];
  flows = [];
  fill = [];
  median = [];
  slow = [];
  samples = []; // of the last minute
  statuses = []; // { at, status }, of one run of the service

  get columns() {
    return [this.time, this.started, this.updated, this.ended, this.gaps, this.flows, this.fill, this.median, this.slow];
  }

  get last() {
    return this.samples.at(-1);
  }

  get status() {
    return this.statuses.at(-1)?.status;
  }

  addSample(sample) {
    const at = Date.parse(sample.time) / 1000;
    if (!(at > (this.time.at(-1) ?? 0)))
      return;
    if (this.time.length > 0 && at - this.time.at(-1) > 3 * sample.interval + 1)
      this.#add(this.time.at(-1) + sample.interval); // the lines break where nothing is known
    this.#add(at, sample.started / sample.interval, sample.updated / sample.interval, sample.ended / sample.interval, sample.gaps,
      sample.flows);
    this.samples.push(sample);
    while (Date.parse(this.samples[0].time) / 1000 < at - 60)
      this.samples.shift();
  }

  addStatus(status, at) {
    if (this.status && this.status.started !== status.started)
      this.statuses = []; // its counters have begun again
    this.statuses.push({ at, status });
    while (this.statuses[0].at < at - STATUSES)
      this.statuses.shift();
    if (this.time.length === 0)
      return;
    const { table } = status;
    this.fill[this.fill.length - 1] = table ? 100 * table.entries / table.limit : null;
    const latency = this.latency(10);
    this.median[this.median.length - 1] = latency?.median ?? null;
    this.slow[this.slow.length - 1] = latency?.slow ?? null;
  }

  /** The status so many seconds before the last one, or the first that is known. */
  before(seconds) {
    const from = (this.statuses.at(-1)?.at ?? 0) - seconds;
    return this.statuses.find(one => one.at >= from)?.status;
  }

  /** By how much a counter grew in so many seconds. */
  grown(read, seconds = STATUSES) {
    const [now, then] = [this.status, this.before(seconds)].map(status => status ? read(status) : undefined);
    return Number.isFinite(now) && Number.isFinite(then) ? Math.max(0, now - then) : 0;
  }

  /** Seconds from an event to its record, of records written in the last so many seconds; null without any. */
  latency(seconds) {
    const now = this.status?.flow_log?.latency, then = this.before(seconds)?.flow_log?.latency;
    if (!now || !then)
      return null;
    const counts = now.cumulative.map((value, at) => value - then.cumulative[at]);
    const all = counts.at(-1);
    return all > 0 ? { median: quantile(now.bounds, counts, 0.5), slow: quantile(now.bounds, counts, 0.99), records: all } : null;
  }

  /** Sources of the last minute: { src, started, bytes }, most first by one of the two. */
  sources(list, by) {
    const sums = new Map();
    for (const { src, started, bytes } of this.samples.flatMap(sample => sample[list])) {
      const sum = sums.get(src) ?? { src, started: 0, bytes: 0 };
      sum.started += started;
      sum.bytes += bytes;
      sums.set(src, sum);
    }
    return [...sums.values()].filter(sum => sum[by] > 0).sort((a, b) => b[by] - a[by]);
  }

  #add(at, started = null, updated = null, ended = null, gaps = null, flows = null) {
    const row = [at, started, updated, ended, gaps, flows, null, null, null];
    this.columns.forEach((column, index) => {
      column.push(row[index]);
      if (column.length > KEPT)
        column.shift();
    });
  }
}

/** Between a bucket's bounds as if its values lay evenly; above the last bound, that bound. */
function quantile(bounds, cumulative, part) {
  const wanted = part * cumulative.at(-1);
  const at = cumulative.findIndex(value => value >= wanted);
  if (at >= bounds.length)
    return bounds.at(-1);
  const lower = at === 0 ? 0 : bounds[at - 1], below = at === 0 ? 0 : cumulative[at - 1];
  return lower + (bounds[at] - lower) * (wanted - below) / (cumulative[at] - below);
}
