// An address, or other text to be copied whole. IPv6 addresses are broken after colons only.
import { Fragment, type JSX } from 'preact';

export function Address({ text }: { readonly text: string }): JSX.Element {
  if (!IPV6.test(text)) return <span class="mono">{text}</span>;
  return (
    <span class="mono address">
      {text.split(/(?<=:)(?!:)/).map((group, i) => (
        <Fragment key={i}>
          {i > 0 && <wbr />}
          <span class="group">{group}</span>
        </Fragment>
      ))}
    </span>
  );
}

/** `fda6::1`, `[2001:db8::7]:41641`. */
const IPV6 = /^\[?[\da-f]*:[\da-f:]*:[\da-f.:]*(\]:\d+)?$/i;
