// told.tsx - what the API's help says about what is shown here.
import type { Topic } from '../api/types';
import { type Blanks, useText } from '../texts';
import { Icon } from './marks';

interface Props {
  topic?: Topic;
  term: string;
  blanks?: Blanks;
}

export function Said({ topic = 'hints', term, blanks }: Props) {
  const { lang, text } = useText();
  return <span lang={lang}>{text(topic, term, blanks)}</span>;
}

export const Told = (props: Props) => (
  <p class="lead">
    <Said {...props} />
  </p>
);

export const Hint = (props: Props) => (
  <p class="hint">
    <Icon name="info" /> <Said {...props} />
  </p>
);
