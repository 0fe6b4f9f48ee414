// contract.mjs - holds answers of the API against the openapi.json of the server that gave them.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { Ajv2020 } = require('ajv/dist/2020');
const addFormats = require('ajv-formats').default;

const pointer = (...names) => '#/' + names.map((name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');

/*
 * A function (method, path below "api/", status, media type, body) => what is wrong with the answer, in words; undefined when it
 * is as the contract says. origin ends in '/'.
 */
export async function contract(origin) {
  const api = await (await fetch(`${origin}openapi.json`)).json();
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  addFormats(ajv);
  ajv.addSchema({ ...api, $id: 'openapi' });
  const routes = Object.keys(api.paths).map((path) => [path, new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`)]);
  return (method, path, status, type, body) => {
    const [name] = routes.find(([one]) => one === path) ?? routes.find(([, pattern]) => pattern.test(path)) ?? [];
    const answers = api.paths[name]?.[method.toLowerCase()]?.responses;
    if (!answers) return `${method} ${path} is not in openapi.json`;
    const key = String(status) in answers ? String(status) : 'default';
    const shared = answers[key].$ref; // '#/components/responses/Problem'
    const answer = shared ? api.components.responses[shared.split('/').pop()] : answers[key];
    if (!answer.content?.[type]) return `${method} ${path} answered ${status} as ${type}`;
    if (!type.includes('json')) return undefined;
    const valid = ajv.compile({ $ref: `openapi${shared ?? pointer('paths', name, method.toLowerCase(), 'responses', key)}${pointer('content', type, 'schema').slice(1)}` });
    return valid(JSON.parse(body)) ? undefined : `${method} ${path} answered ${status}: ${ajv.errorsText(valid.errors, { dataVar: 'answer' })}`;
  };
}
