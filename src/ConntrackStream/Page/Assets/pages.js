// Pages of a filtered list of flows. Row n is on page n / SIZE; a page is found by the cursor of the nearest page before it, and by how many
// rows lie between. Where only the kernel can judge the filter, rows cannot be counted beforehand: the list grows at its end.

const SIZE = 100;
const KEPT = 12; // pages
const MOST_CURSORS = 4096;
const RECOUNT = 30_000; // ms; with a filter the service looks at each flow
const UNSTABLE = ['mark', 'state', 'status', 'label', 'secmark', 'orig-vtag', 'reply-vtag', 'role'];

export class FlowPages {
  onChange = () => {};
  onFault = () => {};
  length = 0; // rows, as far as is known
  isCounted = false;
  #service;
  #query;
  #pages = new Map(); // number: rows; the one used last is last
  #cursors = new Map([[0, null]]);
  #fetching = new Map(); // number: AbortController
  #canSkip;
  #isEndKnown = false;
  #countedAt = 0; // Date.now()

  constructor(service, query) {
    this.#service = service;
    this.#query = query;
    this.#canSkip = !UNSTABLE.some(name => query.has(name));
  }

  /** The length is the service's count, or the end has been seen. */
  get isExact() {
    return this.#canSkip || this.#isEndKnown;
  }

  row(n) {
    return this.#pages.get(Math.floor(n / SIZE))?.[n % SIZE];
  }

  /** Numbers of the pages with these rows. */
  of(first, last) {
    const from = Math.floor(first / SIZE), to = Math.floor(last / SIZE);
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  }

  async count() {
    if (this.#canSkip) {
      try {
        const { count } = await this.#service.get(`v1/count?${this.#query}`);
        this.length = Math.max(this.length, count);
        this.isCounted = true;
        this.#countedAt = Date.now();
      } catch (problem) {
        this.onFault(problem);
        return;
      }
    }
    if (!this.#canSkip || this.length === 0)
      await this.#fetch(0);
    else
      this.onChange();
  }

  /** Fetches those of the pages that are missing; one that is far from what is known only if there is time. */
  want(numbers, hasTime) {
    for (const [number, request] of this.#fetching) {
      if (!numbers.includes(number))
        request.abort();
    }
    for (const number of numbers) {
      if (this.#pages.has(number)) {
        this.#use(number, this.#pages.get(number));
      } else if (this.isCounted && !this.#fetching.has(number) && number * SIZE < this.length && (hasTime || this.#cursors.has(number))) {
        this.#fetch(number);
      }
    }
  }

  /** Fetches these again, in order; what else is kept may be outdated and goes. */
  async refresh(numbers) {
    if (!this.isCounted || this.#fetching.size > 0)
      return;
    for (const number of [...this.#pages.keys()]) {
      if (!numbers.includes(number))
        this.#pages.delete(number);
    }
    const last = Math.max(...numbers);
    for (const number of [...this.#cursors.keys()]) {
      if (number > last)
        this.#cursors.delete(number);
    }
    if (this.#canSkip && (this.#query.size === 0 || Date.now() - this.#countedAt > RECOUNT))
      await this.#recount();
    for (const number of numbers)
      await this.#fetch(number);
  }

  pause() {
    for (const request of this.#fetching.values())
      request.abort();
  }

  async #recount() {
    try {
      this.length = (await this.#service.get(`v1/count?${this.#query}`)).count;
      this.#countedAt = Date.now();
    } catch {
      // the banner says that the service is away
    }
  }

  async #fetch(number) {
    const known = this.#nearest(number);
    if (known !== number && !this.#canSkip)
      return;
    const request = new AbortController();
    this.#fetching.set(number, request);
    const flows = [];
    let cursor = this.#cursors.get(known), skip = (number - known) * SIZE;
    try {
      do { // an answer may have fewer flows than it could
        const query = new URLSearchParams(this.#query);
        query.set('limit', SIZE - flows.length);
        if (cursor !== null)
          query.set('cursor', cursor);
        if (skip > 0)
          query.set('skip', skip);
        const answer = await this.#service.get(`v1/flows?${query}`, request.signal);
        flows.push(...answer.flows);
        cursor = answer.next_cursor;
        skip = 0;
      } while (flows.length < SIZE && cursor !== null);
      this.#take(number, flows, cursor);
    } catch (problem) {
      if (!request.signal.aborted)
        this.onFault(problem);
      return;
    } finally {
      if (this.#fetching.get(number) === request)
        this.#fetching.delete(number);
    }
    this.onChange();
  }

  #take(number, flows, next) {
    this.#use(number, flows);
    const end = number * SIZE + flows.length;
    this.isCounted = true;
    if (next === null) {
      this.#isEndKnown = true;
      this.length = end;
      this.#cursors.delete(number + 1);
    } else {
      this.#cursors.set(number + 1, next);
      this.length = Math.max(this.length, this.#canSkip ? end : end + 1);
    }
    if (this.#cursors.size > MOST_CURSORS)
      [...this.#cursors.keys()].filter(at => at % 2 === 1).forEach(at => this.#cursors.delete(at));
  }

  #use(number, flows) {
    this.#pages.delete(number);
    this.#pages.set(number, flows);
    if (this.#pages.size > KEPT)
      this.#pages.delete(this.#pages.keys().next().value);
  }

  #nearest(number) {
    let nearest = 0;
    for (const at of this.#cursors.keys())
      nearest = at <= number && at > nearest ? at : nearest;
    return nearest;
  }
}
