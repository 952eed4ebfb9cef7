// What an operator should know first, from the service's figures. A finding: id (stays while its numbers change), level, text.

import { count, plural } from './words.js';

const WARNING = 80, CRITICAL = 95; // percent of the kernel's table

export function findings(history) {
  const status = history.status, found = [];
  const bad = (id, text) => found.push({ id, level: 'bad', text });
  const warn = (id, text) => found.push({ id, level: 'warn', text });
  const grown = (id, level, read, tell) => {
    const more = history.grown(read);
    if (more > 0)
      level(id, `${tell(more)}, in the last 5 minutes.`);
  };

  if (status.kernel?.namespace_problem)
    bad('namespace', `No network namespace is followed: ${status.kernel.namespace_problem}`);
  for (const setting of status.kernel?.settings ?? []) {
    if (setting.off)
      bad(`setting ${setting.name}`, `${setting.name} is ${setting.value ?? 'not there'}: another program has turned off what the stream needs.`);
  }
  if (!status.synced)
    warn('synced', 'The view is not proven equal to the kernel’s table at the moment: a comparison is due or under way.');
  if (status.view.last_round === 'audit' && status.view.drift > 0)
    bad('drift', `The last audit found ${plural(status.view.drift, 'flow')} wrong in the view.`);
  grown('lost', bad, s => s.tap.lost, more => `The kernel refused ${plural(more, 'delivery', 'deliveries')} since the event socket was full`);
  grown('rounds', warn, s => s.view.failed_rounds, more => `${plural(more, 'comparison')} with the kernel’s table failed`);

  const fill = status.table ? 100 * status.table.entries / status.table.limit : 0;
  if (fill >= WARNING) {
    (fill >= CRITICAL ? bad : warn)('fill', `The kernel’s table is ${Math.floor(fill)} % full: ${count(status.table.entries)} of `
      + `${count(status.table.limit)} entries. When it is full, packets of new connections are dropped (nf_conntrack_max).`);
  }
  grown('drop', bad, s => s.table?.drop, more => `The kernel dropped ${plural(more, 'packet')} since it could make no entry`);
  grown('early', warn, s => s.table?.early_drop, more => `The kernel pushed ${plural(more, 'entry', 'entries')} out of its full table`);

  for (const { name, dropped } of status.sinks) {
    grown(`sink ${name}`, bad, s => s.sinks.find(sink => sink.name === name)?.dropped,
      more => `The sink ${name} was too slow for ${plural(more, 'change')} of ${count(dropped)} dropped since the start`);
  }
  grown('log', bad, s => s.flow_log?.write_errors, more => `${plural(more, 'attempt')} to write to the flow log failed`);
  for (const name of ['nats', 'ipfix', 'syslog', 'otlp']) {
    if (typeof status[name]?.problem === 'string')
      warn(`module ${name}`, `${name}: ${status[name].problem}`);
  }

  if (status.map?.problem)
    bad('map', `The eBPF map cannot be used: ${status.map.problem}`);
  if (status.map?.refused)
    warn('map refused', 'Nothing is deleted from the eBPF map: no key of it has ever matched a flow of this network namespace.');
  if (status.map?.starving)
    warn('map starving', 'Nothing has been cleaned from the eBPF map for three audit intervals, although something is to be.');
  for (const outcome of ['looped', 'hung']) {
    grown(`outcome ${outcome}`, warn, s => s.reclassify?.outcomes?.[outcome],
      more => `Reclassification: ${plural(more, 'flow')} ${outcome}`);
  }
  return found;
}
