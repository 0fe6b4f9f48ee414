// source.tsx - one source: an organisation, a network, or an address that nothing more is known of.
import { keyWords } from '../classes';
import { Sender } from '../components/sender';
import { Empty } from '../components/states';
import { Text } from '../components/text';
import { useLocation } from '../router';

export function SourcePage() {
  const key = useLocation().query.get('key') ?? '';
  if (key) return <Sender sender={key} heading={<Text value={keyWords(key)} max={80} absent="Source" />} />;
  return (
    <>
      <h1 tabIndex={-1}>Source</h1>
      <Empty filters={[]}>No source is named in the address.</Empty>
    </>
  );
}
