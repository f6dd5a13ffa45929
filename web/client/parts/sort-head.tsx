// A column's head that sorts by it, and says so to whoever cannot see the arrow.
import type { JSX } from 'preact';
import type { Column, Order } from '../pure/peers.ts';
import { Icon } from './icon.tsx';

interface SortHeadProps {
  readonly column: Column;
  readonly label: string;
  readonly order: Order;
  readonly onSort: (order: Order) => void;
}

const FIGURES: readonly Column[] = ['latency', 'bytes', 'seen'];

export function SortHead({ column, label, order, onSort }: SortHeadProps): JSX.Element {
  const isBy = order.by === column;
  const direction = order.descending ? 'descending' : 'ascending';
  return (
    <th
      role="columnheader"
      scope="col"
      aria-sort={isBy ? direction : undefined}
      class={FIGURES.includes(column) ? 'figure' : undefined}
    >
      <button
        type="button"
        class="sort"
        onClick={() => onSort({ by: column, descending: isBy && !order.descending })}
      >
        {label}
        {isBy && <Icon name={order.descending ? 'down' : 'up'} />}
      </button>
    </th>
  );
}
