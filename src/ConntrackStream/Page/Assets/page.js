// The page: which view is shown, and whether the service answers. Nothing runs while the page is hidden for longer than a minute.

import { Flows } from './flows.js';
import { FlowView } from './flow.js';
import { History } from './history.js';
import { Overview } from './overview.js';
import { Service } from './service.js';
import { duration, setText, time } from './words.js';

const STATUS_EVERY = 2; // samples
const HIDDEN_FOR = 60_000; // ms until the stream is closed

const at = id => document.getElementById(id);
const service = new Service(), history = new History();
const views = { overview: new Overview(service, history), flows: new Flows(service), flow: new FlowView(service) };
let shown = null, samples = 0, wasLive = false, lastAnswer = null, waiting = 0, hiding = 0;

// ---- what is shown

function route(isFirst) {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [first, id] = path.split('/');
  const name = first === 'flows' ? id ? 'flow' : 'flows' : 'overview';
  for (const view of Object.keys(views))
    at(view).hidden = view !== name;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.view === name)
      link.setAttribute('aria-current', 'page');
    else if (name === 'flow' && link.dataset.view === 'flows')
      link.setAttribute('aria-current', 'true');
    else
      link.removeAttribute('aria-current');
  }
  if (shown && shown !== views[name])
    shown.hide?.();
  shown = views[name];
  document.title = `${{ overview: history.status?.host ?? 'Overview', flows: 'Flows', flow: 'Flow' }[name]} – ConntrackStream`;
  if (name === 'flow')
    shown.show(decode(id));
  else if (name === 'flows')
    shown.show(new URLSearchParams(query));
  else
    shown.show();
  if (name === 'flows')
    at('back').href = location.hash;
  if (!isFirst && !at(name).contains(document.activeElement))
    at(name === 'flow' ? 'flow-title' : 'main').focus({ preventScroll: name !== 'flow' });
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // the service says what is wrong with it
  }
}

// ---- the service

service.addEventListener('sample', ({ detail }) => {
  history.addSample(detail);
  lastAnswer = Date.now();
  if (samples++ % STATUS_EVERY === 0)
    readStatus();
  shown.onSample();
});

service.addEventListener('state', () => {
  const { state } = service;
  at('link').dataset.state = state === 'live' && history.status?.synced === false ? 'unsynced' : state;
  setText(at('link-text'), { live: history.status?.synced === false ? 'comparing' : 'live', connecting: 'connecting', away: 'no answer',
    denied: 'token needed' }[state]);
  at('away').hidden = state !== 'away';
  clearInterval(waiting);
  if (state === 'away') {
    setText(at('away-text'), lastAnswer ? `No answer from the service since ${time(lastAnswer)}.` : 'No answer from the service.');
    waiting = setInterval(showWait, 500);
    showWait();
  } else {
    setText(at('away-text'), '');
  }
  document.body.classList.toggle('stale', state === 'away');
  if (state === 'denied')
    askToken();
  if (state === 'live' && !wasLive && samples > 0)
    shown.onConnected?.();
  wasLive = state === 'live' || (state === 'connecting' && wasLive);
  at('forget').hidden = !service.hasToken;
});

function showWait() {
  const seconds = Math.max(0, Math.ceil((service.retryAt - Date.now()) / 1000));
  setText(at('away-wait'), `${service.reason}; ${seconds > 0 ? `next try in ${seconds} s` : 'trying …'}`);
}

async function readStatus() {
  try {
    const status = await service.get('v1/status');
    history.addStatus(status, performance.now() / 1000);
    document.body.dataset.status = samples; // how new what is shown is
    setText(at('where'), status.host + (status.network_namespace ? ` · ${status.network_namespace}` : ''));
    setText(at('about'), `ConntrackStream ${status.version}, running for ${duration((Date.now() - Date.parse(status.started)) / 1000)}`);
    if (service.state === 'live') {
      at('link').dataset.state = status.synced ? 'live' : 'unsynced';
      setText(at('link-text'), status.synced ? 'live' : 'comparing');
    }
    if (shown === views.overview)
      document.title = `${status.host} – ConntrackStream`;
    shown.onStatus?.();
  } catch {
    // the stream's end shows that the service is away
  }
}

// ---- the token

function askToken() {
  setText(at('token-fault'), service.hasToken ? 'The service has refused this token.' : '');
  if (!at('ask-token').open)
    at('ask-token').showModal();
  at('token').value = '';
  at('token').focus();
}

at('token-form').addEventListener('submit', event => {
  event.preventDefault();
  at('ask-token').close();
  service.useToken(at('token').value.trim());
});
at('ask-token').addEventListener('cancel', event => event.preventDefault());
at('forget').addEventListener('click', () => {
  service.useToken(null);
  location.reload();
});

// ---- the page

at('retry').addEventListener('click', () => service.retry());
at('skip').addEventListener('click', () => at('main').focus());
addEventListener('online', () => service.retry());
addEventListener('hashchange', () => route(false));
document.addEventListener('visibilitychange', () => {
  clearTimeout(hiding);
  if (document.hidden)
    hiding = setTimeout(() => service.stop(), HIDDEN_FOR);
  else
    service.start();
});

route(true);
service.start();
