// server.mjs - a ruad server for a test: the one that RUAD_URL (and RUAD_LMTP, host:port) name, or one of its own.
//
// Its own runs `ruad serve` from $RUAD_BUILD (default: build/) with a fresh private PostgreSQL in a temporary folder, on free ports,
// and is stopped by its process id. As root, ruad drops to user ruad, which is made when it is missing.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { deliver } from './lmtp.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const START_SECONDS = 90; // initdb on a busy machine takes a while

export function freePort() {
  return new Promise((done, failed) => {
    const server = net.createServer().once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

function run(command, ...args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

// A folder that user ruad can work in.
function stateFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'ruad-browser-'));
  if (process.getuid() === 0) {
    if (spawnSync('id', ['ruad']).status !== 0) run('adduser', '--system', '--group', '--no-create-home', '--quiet', 'ruad');
    run('chown', 'ruad:', folder);
    chmodSync(folder, 0o755);
  }
  return folder;
}

// The program where user ruad can start its helpers, too: it may not look into /root. A copy in the folder, if need be.
function reachable(build, folder) {
  const helper = join(build, 'libexec', 'ruad', 'ruad-web');
  if (process.getuid() !== 0 || spawnSync('setpriv', ['--reuid=ruad', '--regid=ruad', '--clear-groups', 'test', '-x', helper]).status === 0) return join(build, 'bin', 'ruad');
  for (const part of ['bin/ruad', 'libexec/ruad']) cpSync(join(build, part), join(folder, part), { recursive: true });
  return join(folder, 'bin', 'ruad');
}

async function ready(url, alive) {
  for (let waited = 0; waited < START_SECONDS * 5 && alive(); waited++) {
    const answer = await fetch(`${url}readyz`).catch(() => undefined);
    if (answer?.ok) return true;
    await sleep(200);
  }
  return false;
}

async function startOwn(options) {
  const build = resolve(process.env.RUAD_BUILD ?? join(root, 'build'));
  if (!existsSync(join(build, 'bin', 'ruad'))) throw new Error(`no ruad in ${build}: build first, or set RUAD_BUILD or RUAD_URL`);
  const folder = stateFolder();
  const program = reachable(build, folder);
  const [http, lmtp] = [await freePort(), await freePort()];
  const log = join(folder, 'serve.log');
  const settings = { 'server.state_dir': join(folder, 'state'), 'enrich.enabled': 'off', 'http.listen': `127.0.0.1:${http}`, 'lmtp.listen': `127.0.0.1:${lmtp}`, ...options };
  run('install', '-d', ...(process.getuid() === 0 ? ['-o', 'ruad', '-g', 'ruad'] : []), settings['server.state_dir']);
  const out = openSync(log, 'w');
  const child = spawn(program, ['serve', ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])], {
    stdio: ['ignore', out, out],
  });
  let ended;
  const end = new Promise((done) => child.once('exit', (code, signal) => done((ended = code ?? signal))));
  const kill = () => child.kill('SIGTERM');
  process.once('exit', kill); // should the test end without stop()
  const stop = async () => {
    process.off('exit', kill);
    if (ended === undefined) {
      kill();
      const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await end;
      clearTimeout(late);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${http}/`;
  if (!(await ready(url, () => ended === undefined))) {
    const words = readFileSync(log, 'utf8').split('\n').slice(-30).join('\n');
    await stop();
    throw new Error(`ruad serve did not get ready${ended === undefined ? '' : ` (ended: ${ended})`}:\n${words}`);
  }
  const sql = (text, role = 'ruad_owner') => run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', `host=${settings['server.state_dir']}/run dbname=ruad user=${role}`, '-c', text);
  return { url, lmtp, own: true, stop, sql };
}

/*
 * { url, own, stop(), deliver(mails), sql(text, role) }. url ends in '/'. own: the database is this test's alone, and only then there
 * is sql(), which gives what psql prints. deliver() resolves once every mail was answered 250, and fails otherwise.
 * settings: of ruad, like { 'http.auth': 'proxy' }; a server that RUAD_URL names has its own.
 */
export async function server(settings = {}) {
  const given = process.env.RUAD_URL;
  const one = given
    ? { url: given.endsWith('/') ? given : given + '/', lmtp: Number(process.env.RUAD_LMTP?.split(':').pop()), own: false, stop: async () => {} }
    : await startOwn(settings);
  one.deliver = async (mails, options) => {
    if (!one.lmtp) throw new Error('RUAD_URL is set but RUAD_LMTP is not: nowhere to deliver to');
    const wrong = (await deliver(one.lmtp, mails, options)).filter((answer) => !answer.startsWith('250'));
    if (wrong.length > 0) throw new Error(`not taken: ${wrong[0]}`);
  };
  return one;
}
