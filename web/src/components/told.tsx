// told.tsx - what the API's help says about what is shown here.
import { useWords } from '../api/ask';
import type { Topic } from '../api/types';
import { Icon } from './marks';

interface Props {
  topic?: Topic;
  term: string;
}

export const Said = ({ topic = 'hints', term }: Props) => <>{useWords()(topic, term)}</>;

export const Told = (props: Props) => (
  <p class="lead">
    <Said {...props} />
  </p>
);

export const Hint = (props: Props) => (
  <p class="hint">
    <Icon name="info" /> <span><Said {...props} /></span>
  </p>
);
