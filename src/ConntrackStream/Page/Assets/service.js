// The service's HTTP interface: requests with the token, and the stream of samples, opened again with back-off when it ends.

const TOKEN = 'conntrack-stream-token';
const SILENCE = 10_000; // ms without a byte of the stream, which has a sample each second
const FIRST_WAIT = 500, LONGEST_WAIT = 15_000; // ms
const MOST_BUFFERED = 1 << 20; // characters of one event

/** An answer that is a problem (RFC 9457), or none at all (status 0). */
export class Problem extends Error {
  constructor(status, type, detail, parameter) {
    super(detail);
    Object.assign(this, { status, type, parameter });
  }

  static async of(response) {
    const text = await response.text();
    try {
      const { type, detail, parameter } = JSON.parse(text);
      return new Problem(response.status, String(type ?? ''), String(detail ?? text), parameter);
    } catch {
      return new Problem(response.status, '', `HTTP ${response.status}`);
    }
  }
}

/** Events: sample (detail: the sample), state (connecting, live, away or denied). */
export class Service extends EventTarget {
  state = 'connecting';
  reason = '';
  retryAt = 0;
  #token = sessionStorage.getItem(TOKEN);
  #running = null;
  #wake = () => {};

  get hasToken() {
    return this.#token !== null;
  }

  useToken(token) {
    this.#token = token;
    if (token === null)
      sessionStorage.removeItem(TOKEN);
    else
      sessionStorage.setItem(TOKEN, token);
    this.#wake();
  }

  retry() {
    this.#wake();
  }

  /** Listens for as long as start was called more lately than stop. */
  start() {
    if (this.#running)
      return;
    this.#running = new AbortController();
    this.#run(this.#running.signal);
  }

  stop() {
    this.#running?.abort();
    this.#running = null;
  }

  /** JSON of a path such as v1/status. Throws Problem. */
  async get(path, signal) {
    const response = await this.#ask(path, signal);
    try {
      return await response.json();
    } catch (failure) {
      throw signal?.aborted ? failure : new Problem(0, '', 'the answer broke off');
    }
  }

  async #ask(path, signal) {
    const headers = this.#token === null ? {} : { Authorization: `Bearer ${this.#token}` };
    let response;
    try {
      response = await fetch(path, { headers, signal, cache: 'no-store', credentials: 'omit', redirect: 'error' });
    } catch (failure) {
      throw signal?.aborted ? failure : new Problem(0, '', 'the service does not answer');
    }
    if (!response.ok)
      throw await Problem.of(response);
    return response;
  }

  async #run(signal) {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        this.#set('connecting');
        await this.#listen(signal, () => { attempt = 0; });
        this.reason = 'the service has ended the stream';
      } catch (failure) {
        if (signal.aborted)
          return;
        this.reason = failure.message;
        if (failure.status === 401) {
          this.#set('denied');
          await this.#rest(signal, null);
          attempt = -1;
          continue;
        }
      }
      const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempt) * (0.8 + 0.4 * Math.random());
      this.retryAt = Date.now() + wait;
      this.#set('away');
      await this.#rest(signal, wait);
    }
  }

  async #listen(signal, onSample) {
    const attempt = new AbortController();
    const end = () => attempt.abort();
    signal.addEventListener('abort', end);
    let watch = setTimeout(end, SILENCE);
    try {
      const response = await this.#ask('v1/rates/stream?interval=1s&top=20', attempt.signal);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let buffer = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done)
          return;
        clearTimeout(watch);
        watch = setTimeout(end, SILENCE);
        buffer += value;
        for (let at; (at = buffer.indexOf('\n\n')) >= 0; buffer = buffer.slice(at + 2)) {
          const data = buffer.slice(0, at).split('\n').find(line => line.startsWith('data: '));
          if (data) {
            onSample();
            this.#set('live');
            this.dispatchEvent(new CustomEvent('sample', { detail: JSON.parse(data.slice('data: '.length)) }));
          }
        }
        if (buffer.length > MOST_BUFFERED)
          throw new Problem(0, '', 'what answers here is not the service');
      }
    } catch (failure) {
      if (attempt.signal.aborted && !signal.aborted)
        throw new Problem(0, '', 'the service is silent');
      throw failure instanceof Problem ? failure : new Problem(0, '', 'the connection broke off');
    } finally {
      clearTimeout(watch);
      signal.removeEventListener('abort', end);
      attempt.abort();
    }
  }

  /** @param wait ms; null: until woken. */
  #rest(signal, wait) {
    return new Promise(resolve => {
      const timer = wait === null ? null : setTimeout(resolve, wait);
      this.#wake = () => { clearTimeout(timer); resolve(); };
      signal.addEventListener('abort', this.#wake, { once: true });
    });
  }

  #set(state) {
    if (this.state === state && state !== 'away' && state !== 'denied')
      return;
    if (state === 'connecting' && this.state === 'away')
      return; // it stays away until it has answered
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }
}
