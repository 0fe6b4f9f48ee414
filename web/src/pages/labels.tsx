// labels.tsx - who labelled what: each change of a label of any source, the newest first.
import { useList } from '../api/ask';
import type { LabelEntry } from '../api/types';
import { texts, times } from '../components/columns';
import { labelWords } from '../components/label';
import { LabelTag, SourceLink } from '../components/marks';
import { type Column, ListTable } from '../components/table';
import { Told } from '../components/told';
import { href } from '../router';

const columns: Column<LabelEntry>[] = [
  { id: 'source', title: 'Source', lead: true, roomy: true, cell: ({ source, name }) => <SourceLink source={{ key: source, name }} /> },
  { id: 'label', title: 'Label', main: true, cell: ({ label }) => (label === null ? <span class="faint">{labelWords(null)}</span> : <LabelTag value={label} />) },
  ...texts<LabelEntry>(['note']),
  ...texts<LabelEntry>(['set_by'], { title: 'By' }),
  { id: 'set_via', title: 'Via', cell: ({ set_via: via, token }) => [via, token].filter(Boolean).join(' ') },
  ...times<LabelEntry>(['set_at'], { title: 'When', main: true }),
];

export function Labels() {
  return (
    <>
      <p class="crumb">
        <a href={href('sources')}>Sources</a>
      </p>
      <h1 tabIndex={-1}>Who labelled what</h1>
      <Told topic="pages" term="labels" />
      <section class="card flush">
        <ListTable label="Labels" noun="change" list={useList<LabelEntry>('labels', { limit: 100 })} columns={columns} rowKey={({ id }) => id} empty={<p class="calm">Nobody has labelled anything yet.</p>} />
      </section>
    </>
  );
}
