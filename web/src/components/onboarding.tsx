// onboarding.tsx - the page before the first report: which records to publish, and whether mail has arrived.
import { useState } from 'preact/hooks';
import { useApi } from '../api/ask';
import type { Help, Intake } from '../api/types';
import { count, moment, plural } from '../format';
import { href } from '../router';
import { Asked } from './asked';
import { Copyable } from './states';
import { Told } from './told';

function Arrived() {
  const { data } = useApi<Intake>('intake');
  return (
    <p>
      <a href={href('intake')}>Intake</a>
      {!data
        ? ' shows what has arrived.'
        : data.last_mail_at === null
          ? ': no mail has arrived yet.'
          : `: ${plural(data.mails, 'mail')} in 30 days, ${count(data.counts.quarantined)} could not be read; the last one came ${moment(data.last_mail_at)}.`}
    </p>
  );
}

const LOCAL = /^(?:localhost|[\d.]+|\[.*\])$/;

// No report has ever come: what has to be published for reports to come here.
export function Onboarding({ domain }: { domain: string | null }) {
  const [name, setName] = useState(domain ?? 'example.com');
  const [host, setHost] = useState(LOCAL.test(location.hostname) ? `dmarc.${domain ?? 'example.com'}` : location.hostname);
  const external = host !== name && !host.endsWith('.' + name);
  return (
    <section class="card onboarding">
      <h2>No report has come in yet</h2>
      <Told term="first report" />
      <form class="fields" onSubmit={(event) => event.preventDefault()}>
        <label>
          Your domain
          <input value={name} spellcheck={false} autocapitalize="off" onInput={(event) => setName(event.currentTarget.value.trim())} />
        </label>
        <label>
          Host that takes the reports
          <input value={host} spellcheck={false} autocapitalize="off" onInput={(event) => setHost(event.currentTarget.value.trim())} />
        </label>
      </form>
      <Asked answer={useApi<Help>('help', {}, true)} label="the steps">
        {({ onboarding, onboarding_samples: samples }) => (
          <ol>
            {onboarding.map(({ term, text }, index) => {
              const sample = samples[index]!.text;
              return external || !sample.includes('._report.') ? (
                <li key={term}>
                  <h3>{term}</h3>
                  <p>{text}</p>
                  <Copyable text={sample.replaceAll('{domain}', name).replaceAll('{host}', host)} />
                </li>
              ) : null;
            })}
          </ol>
        )}
      </Asked>
      <Arrived />
    </section>
  );
}
