// text.tsx - text from reports: isolated from its surroundings, without invisible characters, and shortened.
import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { clipped, visible } from '../format';

interface Props {
  value: string | null | undefined;
  max?: number; // characters shown at first
  expand?: boolean; // offer the rest by a button (not inside a link)
  absent?: string;
  cut?: boolean; // one line, cut at the end of its room, with the text as its title
}

// Names of domains break behind a dot before they break anywhere else.
function breakable(text: string) {
  const labels = text.split('.');
  return labels.length > 12 || /\s/.test(text)
    ? text
    : labels.map((label, index) => (index === 0 ? label : <Fragment key={index}>.<wbr />{label}</Fragment>));
}

export function Text({ value, max = 80, expand = false, absent = '–', cut = false }: Props) {
  const [open, setOpen] = useState(false);
  if (value === null || value === undefined) return <span class="faint">{absent}</span>;
  if (value === '') return <span class="faint">empty</span>;
  const clean = visible(value);
  const part = clipped(clean, max);
  const long = part !== clean;
  return (
    <>
      <bdi class={cut ? 'text cut' : open ? 'text whole' : 'text'} title={cut || (long && !open) ? clipped(clean, 400) : undefined}>
        {open ? clean : cut ? part : breakable(part)}
      </bdi>
      {long && expand && (
        <>
          {' '}
          <button type="button" class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'show less' : `show all ${clean.length.toLocaleString('en-US')} characters`}
          </button>
        </>
      )}
    </>
  );
}

export function Ip({ value }: { value: string | null }) {
  return value === null ? <span class="faint">no address</span> : <span class="ip">{clipped(visible(value), 50)}</span>;
}
