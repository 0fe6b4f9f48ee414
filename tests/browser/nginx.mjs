// nginx.mjs - Debian's nginx before a ruad server: on loopback, in a temporary folder, stopped by its process id.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './server.mjs';

const config = ({ folder, port, prefix, target, headers }) => `
daemon off;
pid ${folder}/pid;
error_log ${folder}/error.log;
user ${userInfo().username};
worker_processes 1;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path ${folder}/body;
	proxy_temp_path ${folder}/proxy;
	fastcgi_temp_path ${folder}/fastcgi;
	uwsgi_temp_path ${folder}/uwsgi;
	scgi_temp_path ${folder}/scgi;
	server {
		listen 127.0.0.1:${port};
		location ${prefix} {
			proxy_pass ${target};
			proxy_set_header Host $host;
${Object.entries(headers).map(([name, value]) => `\t\t\tproxy_set_header ${name} "${value}";`).join('\n')}
		}
	}
}
`;

// target ends in '/', and so does prefix. { url, stop() }: what is at target is at url, which has the prefix.
export async function nginx(target, { prefix = '/dmarc/', headers = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'ruad-nginx-'));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'logs'));
  const port = await freePort();
  writeFileSync(join(folder, 'nginx.conf'), config({ folder, port, prefix, target, headers }));
  const child = spawn('/usr/sbin/nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  let ended = false;
  child.stderr.on('data', (piece) => (words += piece));
  const end = new Promise((done) => child.once('exit', () => done((ended = true))).once('error', (error) => done((words += error.message), (ended = true))));
  const kill = () => child.kill('SIGTERM');
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    if (!ended) kill();
    await end;
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}${prefix}`;
  for (let tries = 0; tries < 100 && !ended; tries++) {
    if ((await fetch(`${url}healthz`).catch(() => undefined))?.ok) return { url, stop };
    await sleep(100);
  }
  await stop();
  throw new Error(`nginx did not start: ${words}`);
}
