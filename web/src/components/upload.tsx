// upload.tsx - takes report files for ruad, as if a mail server had delivered them; for editors who see all domains.
import { useEffect, useRef, useState } from 'preact/hooks';
import { apiUrl, refresh, useMe } from '../api/ask';
import type { Uploaded } from '../api/types';
import { size } from '../format';
import { changed, href } from '../router';
import { useText } from '../texts';
import { Text } from './text';

const PAGE: Record<string, string> = { aggregate: 'report', tls: 'tlsreport' }; // that shows what was found, unless it is a failure report

interface Entry {
  id: number;
  file: File;
  sent: number | undefined; // percent of it; undefined: it waits, or all is sent
  done: Uploaded | undefined;
  failure: string | undefined; // the server took nothing
}

// One file as one request. fetch() does not tell how much was sent.
function send(file: File, progress: (percent: number) => void): Promise<Uploaded> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open('POST', apiUrl('reports', { name: file.name.slice(-200) }));
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.responseType = 'json';
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? Math.floor((100 * loaded) / total) : 0);
    request.onload = () => {
      const answer = request.response as { files?: Uploaded[]; detail?: string } | null;
      const found = request.status === 200 ? answer?.files?.[0] : undefined;
      if (found) done(found);
      else failed(answer?.detail || `${request.status} ${request.statusText}`);
    };
    request.onerror = () => failed('');
    request.send(file);
  });
}

// What became of it, and where it is.
function Outcome({ done, text }: { done: Uploaded; text: (term: string) => string }) {
  const { outcome, mail, code, reason, reply } = done;
  const report = done.items.find((item) => item.report);
  const shown = outcome === 'quarantined' ? changed({ status: outcome, code: code ?? undefined }) : report && href(PAGE[report.kind ?? ''] ?? 'failure', { id: report.report! });
  const words = text(`upload ${outcome}`);
  return (
    <>
      {shown ? <a href={shown}>{words}</a> : words}
      {mail && ` (${text('upload mail')} ${mail})`}
      {reason && (
        <small class="block">
          <Text value={reason} max={160} expand />
        </small>
      )}
      {!mail && <small class="block">{reply}</small>}
    </>
  );
}

function Progress({ entry, text }: { entry: Entry; text: (term: string) => string }) {
  if (entry.done) return <Outcome done={entry.done} text={text} />;
  if (entry.failure !== undefined)
    return (
      <>
        {text('upload failed')} <small class="block">{entry.failure || text('upload lost')}</small>
      </>
    );
  if (entry.sent === undefined) return <>{text('upload waits')}</>;
  return <progress max={100} value={entry.sent} aria-label={entry.file.name} />;
}

export function Upload() {
  const me = useMe();
  const { text: said, lang } = useText();
  const text = (term: string) => said('ui', term);
  const [entries, setEntries] = useState<Entry[]>([]);
  const [over, setOver] = useState(false);
  const sending = useRef(false);
  const change = (id: number, what: Partial<Entry>) => setEntries((all) => all.map((one) => (one.id === id ? { ...one, ...what } : one)));
  const next = entries.find(({ sent, done, failure }) => sent === undefined && !done && failure === undefined);

  // one after another: the server reads few bodies at the same time
  useEffect(() => {
    if (!next || sending.current) return;
    sending.current = true;
    const { id, file } = next;
    change(id, { sent: 0 });
    send(file, (sent) => change(id, { sent }))
      .then(
        (done) => change(id, { done }),
        (failure: string) => change(id, { failure }),
      )
      .finally(() => {
        sending.current = false;
        refresh();
        setEntries((all) => [...all]);
      });
  }, [entries]);

  if (!me?.roles.includes('editor') || me.domains) return null;
  const add = (files: FileList | null | undefined) =>
    setEntries((all) => [...all, ...Array.from(files ?? []).map((file, n) => ({ id: all.length + n, file, sent: undefined, done: undefined, failure: undefined }))]);
  const drag = (on: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setOver(on);
  };
  return (
    <section class="card" lang={lang}>
      <h2>{text('upload')}</h2>
      <div
        class={over ? 'drop over' : 'drop'}
        onDragOver={drag(true)}
        onDragLeave={drag(false)}
        onDrop={(event) => {
          drag(false)(event);
          add(event.dataTransfer?.files);
        }}
      >
        <label>
          {text('upload choose')}{' '}
          <input
            type="file"
            multiple
            onChange={(event) => {
              add(event.currentTarget.files);
              event.currentTarget.value = '';
            }}
          />
        </label>
        <p class="hint">{text('upload hint')}</p>
      </div>
      {entries.length > 0 && (
        <ul class="uploads" aria-label={text('upload files')} aria-live="polite">
          {entries.map((entry) => (
            <li key={entry.id}>
              <span>
                <Text value={entry.file.name} max={80} /> <span class="faint">{size(entry.file.size)}</span>
              </span>
              <span>
                <Progress entry={entry} text={text} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
