// ip.tsx - one address, whatever source it belongs to; or the addresses of a network.
import { useApi } from '../api/ask';
import type { Summary } from '../api/types';
import { Asked } from '../components/asked';
import { Days } from '../components/days';
import { Sender } from '../components/sender';
import { Ip } from '../components/text';
import { href, useLocation } from '../router';
import { useScope } from '../scope';
import { SourceTable } from './sources';

function Network({ ip }: { ip: string }) {
  const scope = useScope();
  return (
    <>
      <p class="crumb">
        <a href={href('sources')}>Sources</a>
      </p>
      <h1 tabIndex={-1}>
        <Ip value={ip || 'No address'} />
      </h1>
      <Asked answer={useApi<Summary>('summary', { ...scope.params, ip })} label="the network">
        {(summary) => <Days scope={scope} summary={summary} filters={{ ip }} />}
      </Asked>
      <SourceTable by="ip" />
    </>
  );
}

export function IpPage() {
  const ip = useLocation().query.get('ip') ?? '';
  return ip === '' || ip.includes('/') ? <Network ip={ip} /> : <Sender sender={`ip:${ip}`} ip={ip} heading={<Ip value={ip} />} />;
}
