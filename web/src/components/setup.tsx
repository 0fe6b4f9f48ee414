// setup.tsx - how mail of a service is made to pass: where its settings have it, which records, and its own manual.
import type { Setup } from '../api/types';
import { useText } from '../texts';

export function SetupWords({ setup }: { setup: NonNullable<Setup> }) {
  const { lang, text } = useText();
  const { name, switch: place, records, aligns, manual } = setup;
  const only = aligns.length === 1 && aligns[0];
  const said = [text('setup', 'switch', { name, switch: place }), records && text('setup', 'records', { name, records }), only && text('setup', only, { name })];
  return (
    <p class="setup" lang={lang}>
      <bdi>{said.filter(Boolean).join(' ')}</bdi>{' '}
      {manual?.startsWith('https://') && (
        <a href={manual} rel="noopener noreferrer">
          {text('setup', 'manual', { name })}
        </a>
      )}
    </p>
  );
}
