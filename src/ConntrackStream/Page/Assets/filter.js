// The filter's words as the command line has them, and as a query string.

const SHORT = { p: 'proto', s: 'src', d: 'dst', m: 'mark', w: 'zone', u: 'status', f: 'family' };
const NAMES = ['proto', 'src', 'dst', 'sport', 'dport', 'mark', 'zone', 'state', 'status', 'family', 'any-nat'];
const ALIASES = { protonum: 'proto', 'orig-src': 'src', 'orig-dst': 'dst' };

/** URLSearchParams, or what is wrong. Values are left to the service to judge. */
export function parseWords(text) {
  const query = new URLSearchParams(), words = text.trim().split(/\s+/).filter(word => word !== '');
  for (let at = 0; at < words.length; at++) {
    const [, dashes, given, , value] = /^(-{0,2})([^=]*)(=(.*))?$/s.exec(words[at]);
    const name = dashes === '-' ? SHORT[given] ?? given : ALIASES[given] ?? given;
    if (!NAMES.includes(name))
      return { query, fault: `${words[at]}: no filter word; there are ${NAMES.join(', ')}` };
    if (name === 'any-nat')
      query.set(name, value ?? 'true');
    else if (value === undefined && at + 1 === words.length)
      return { query, fault: `${words[at]}: needs a value, such as ${name}=…` };
    else
      query.append(name, value ?? words[++at]);
  }
  return { query, fault: null };
}

export const toWords = query =>
  [...query].map(([name, value]) => name === 'any-nat' && value === 'true' ? name : `${name}=${value}`).join(' ');
