// onboarding.tsx - the page before the first report: which records to publish, and whether mail has arrived.
import { useState } from 'preact/hooks';
import { useApi } from '../api/ask';
import type { Intake } from '../api/types';
import { count, moment } from '../format';
import { href } from '../router';
import { useHelp } from '../texts';
import { Asked } from './asked';
import { Copyable } from './states';
import { Said, Told } from './told';

const received = ({ mails, counts }: Intake, last: string) => ({ mails: count(mails), quarantined: count(counts.quarantined), last: moment(last) });

function Arrived() {
  const { data } = useApi<Intake>('intake');
  return (
    <p>
      <a href={href('intake')}>Intake</a>
      {data && ': '}
      {data && (data.last_mail_at === null ? <Said topic="ui" term="no mail" /> : <Said topic="ui" term="mail" blanks={received(data, data.last_mail_at)} />)}
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
      <h2>
        <Said topic="ui" term="no report" />
      </h2>
      <Told term="first report" />
      <form class="fields" onSubmit={(event) => event.preventDefault()}>
        <label>
          <Said topic="ui" term="domain" />
          <input value={name} spellcheck={false} autocapitalize="off" onInput={(event) => setName(event.currentTarget.value.trim())} />
        </label>
        <label>
          <Said topic="ui" term="host" />
          <input value={host} spellcheck={false} autocapitalize="off" onInput={(event) => setHost(event.currentTarget.value.trim())} />
        </label>
      </form>
      <Asked answer={useHelp()} label="the steps">
        {({ lang, onboarding, onboarding_samples: samples }) => (
          <ol lang={lang}>
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
