// The filter's words as the command line has them, and as a query string.

const SHORT = {
  p: 'proto', s: 'src', d: 'dst', r: 'reply-src', q: 'reply-dst', n: 'src-nat', g: 'dst-nat', j: 'any-nat', w: 'zone', i: 'ct-id', f: 'family',
  m: 'mark', u: 'status', l: 'label', c: 'secmark',
};
const NAMES = [
  'proto', 'src', 'dst', 'sport', 'dport', 'mask-src', 'mask-dst', 'reply-src', 'reply-dst', 'addr', 'reply-port-src', 'reply-port-dst',
  'icmp-type', 'icmp-code', 'icmp-id', 'srckey', 'dstkey', 'reply-key-src', 'reply-key-dst', 'src-nat', 'dst-nat', 'any-nat', 'zone',
  'orig-zone', 'reply-zone', 'ct-id', 'family', 'mark', 'state', 'status', 'label', 'secmark', 'orig-vtag', 'reply-vtag', 'role',
];
const BARE = ['src-nat', 'dst-nat', 'any-nat']; // they may stand without a value
const ALIASES = {
  protonum: 'proto', 'orig-src': 'src', 'orig-dst': 'dst', 'orig-port-src': 'sport', 'orig-port-dst': 'dport', 'icmpv6-type': 'icmp-type',
  'icmpv6-code': 'icmp-code', 'icmpv6-id': 'icmp-id', 'orig-key-src': 'srckey', 'orig-key-dst': 'dstkey', id: 'ct-id',
};

/** URLSearchParams, or what is wrong. Values are left to the service to judge. */
export function parseWords(text) {
  const query = new URLSearchParams(), words = text.trim().split(/\s+/).filter(word => word !== '');
  for (let at = 0; at < words.length; at++) {
    const [, dashes, given, , value] = /^(-{0,2})([^=]*)(=(.*))?$/s.exec(words[at]);
    const name = dashes === '-' ? SHORT[given] ?? given : ALIASES[given] ?? given;
    if (!NAMES.includes(name))
      return { query, fault: `${words[at]}: no filter word; there are ${NAMES.join(', ')}` };
    if (BARE.includes(name))
      query.set(name, value ?? (/^[0-9[:]/.test(words[at + 1] ?? '') ? words[++at] : 'true'));
    else if (value === undefined && at + 1 === words.length)
      return { query, fault: `${words[at]}: needs a value, such as ${name}=…` };
    else
      query.append(name, value ?? words[++at]);
  }
  return { query, fault: null };
}

export const toWords = query =>
  [...query].map(([name, value]) => BARE.includes(name) && value === 'true' ? name : `${name}=${value}`).join(' ');
