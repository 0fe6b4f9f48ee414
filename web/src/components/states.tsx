// states.tsx - what a view shows instead of its numbers: loading, an error, nothing in this window, nothing at all yet.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Problem } from '../api';
import { changed } from '../router';
import { Icon } from './marks';

export function Skeleton({ rows = 4, label = 'Loading' }: { rows?: number; label?: string }) {
  return (
    <div class="skeleton" role="status">
      <span class="hidden">{label}…</span>
      {Array.from({ length: rows }, (_, index) => (
        <i key={index} aria-hidden="true" />
      ))}
    </div>
  );
}

export function Failed({ problem, retry }: { problem: Problem; retry: () => void }) {
  return (
    <div class="notice bad" role="alert">
      <p>
        <strong>{problem.title}</strong>
        {problem.status > 0 && <span class="faint"> ({problem.status})</span>}
      </p>
      {problem.detail && <p>{problem.detail}</p>}
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

// Nothing matches; the filters that may be why, and the way out.
export function Empty({ children, filters }: { children: ComponentChildren; filters: string[] }) {
  const { searchParams } = new URL(location.href);
  const set = filters.filter((name) => searchParams.has(name));
  return (
    <div class="notice">
      <p>{children}</p>
      {set.length > 0 && (
        <p>
          <a href={changed(Object.fromEntries(set.map((name) => [name, undefined])))}>Clear {set.length === 1 ? 'the filter' : 'all filters'}</a>
        </p>
      )}
    </div>
  );
}

function Copyable({ text }: { text: string }) {
  const [done, setDone] = useState(false);
  const copy = () => navigator.clipboard.writeText(text).then(() => setDone(true), () => undefined);
  return (
    <div class="copy">
      <code>{text}</code>
      {'clipboard' in navigator && (
        <button type="button" class="quiet" onClick={copy}>
          <Icon name="copy" /> {done ? 'copied' : 'copy'}
        </button>
      )}
    </div>
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
      <p>
        Receivers such as Google, Microsoft or Yahoo send a report a day once your domain asks for them in DNS. After that, expect 24 to 72
        hours until the first one; a domain that sends little mail may wait longer.
      </p>
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
      <ol>
        <li>
          <h3>Ask for reports</h3>
          <p>A TXT record of your domain. <code>p=none</code> only watches: nobody’s mail is treated differently.</p>
          <Copyable text={`_dmarc.${name}. TXT "v=DMARC1; p=none; rua=mailto:dmarc-sum@${host}"`} />
        </li>
        <li>
          <h3>Allow the mailbox to take them</h3>
          <p>
            {external
              ? 'The mailbox is outside your domain, so its domain has to agree, or receivers will not send there.'
              : 'Nothing to publish: the mailbox is within your domain.'}
          </p>
          {external && <Copyable text={`${name}._report._dmarc.${host}. TXT "v=DMARC1"`} />}
        </li>
        <li>
          <h3>Bring the mail here</h3>
          <p>The host needs an MX record, and its mail server hands the mailbox on to ruad by LMTP. Attachments of several megabytes are normal.</p>
          <Copyable text={`${host}. MX 10 ${host}.`} />
        </li>
        <li>
          <h3>Try it with a report you have</h3>
          <p>A file, a mailbox or a folder of old reports is taken in the same way as mail.</p>
          <Copyable text="ruad import reports/" />
        </li>
      </ol>
      <p>
        <a href="./intake">Intake</a> shows what has arrived, including what could not be read.
      </p>
    </section>
  );
}
