// Checks manifests, as JSON, by the schemas of Kubernetes's API and of Prometheus Operator. The schemas let fields pass that they do not
// have, so the names of fields are compared with the API's types as well.
// usage: node check-manifests.mjs FOLDER-WITH-NODE_MODULES FILE
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, file] = process.argv.slice(2);
const modules = join(folder, 'node_modules');
const others = { 'monitoring.coreos.com/v1': '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1' };

// The fields of the first interface in a file of types, each with the file of its own type, if it has one.
function fieldsOf(types) {
  const text = readFileSync(types, 'utf8');
  const imports = new Map([...text.matchAll(/import (?:type )?\{ (\w+)[^}]*\} from "([^"]+)"/g)].map(([, name, from]) => {
    const path = from.startsWith('.') ? join(dirname(types), from.replace(/\.js$/, '')) : join(modules, from);
    return [name, [`${path}.d.ts`, `${path}/index.d.ts`].find(existsSync)];
  }));
  const body = text.slice(text.indexOf('export interface')).split('\n}')[0];
  return new Map([...body.matchAll(/^ {4}"(\w+)"\??: (.*?);?$/gm)].map(([, name, type]) => [name, imports.get(type.replace(/^Array<(\w+)>$/, '$1'))]));
}

function* unknownFields(value, types, path) {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* unknownFields(item, types, `${path}/${index}`);
  } else if (typeof value === 'object' && value !== null) {
    const fields = fieldsOf(types);
    if (fields.size === 0) return; // a quantity, a time
    for (const [name, below] of Object.entries(value)) {
      if (!fields.has(name)) yield `${path}/${name}: no such field`;
      else if (fields.get(name)) yield* unknownFields(below, fields.get(name), `${path}/${name}`);
    }
  }
}

function faultsOf(document, Model, types) {
  const faults = types ? [...unknownFields(document, types, '')] : [];
  try {
    new Model(document).validate();
  } catch (error) {
    faults.push(error.message);
  }
  return faults;
}

let failed = false;
for (const document of JSON.parse(readFileSync(file, 'utf8'))) {
  const path = join(modules, others[document.apiVersion] ?? `kubernetes-models/${document.apiVersion}`);
  const { [document.kind]: Model } = await import(pathToFileURL(join(path, 'index.js')));
  const faults = faultsOf(document, Model, others[document.apiVersion] ? null : join(path, `${document.kind}.d.ts`));
  console.log(`${document.apiVersion} ${document.kind} ${document.metadata.name}: ${faults.join('; ') || 'valid'}`);
  failed ||= faults.length > 0;
}
process.exit(failed ? 1 : 0);
