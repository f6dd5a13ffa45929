// The lab's bulk of datagrams: what is not bit-equal to one of the plan is noticed.
import t from 'tap';
import { DatagramPlan, GROUP } from '../lab/datagram-plan.ts';

const LARGEST = 1232;

t.test('each datagram is known by its bytes, and no other is taken for one', t => {
  const [plan, same, other] = [
    new DatagramPlan(3, LARGEST),
    new DatagramPlan(3, LARGEST),
    new DatagramPlan(4, LARGEST),
  ];
  const bytes = Buffer.alloc(LARGEST);
  let taken = 0;
  for (let number = 0; number < 40 * GROUP; number++) {
    const size = plan.write(number, bytes, 0);
    t.equal(same.numberOf(bytes, size), number);
    if (size > 12 && other.numberOf(bytes, size) >= 0) taken++;
    if (plan.numberOf(bytes, size - 1) >= 0) taken++;
    bytes[number % size]! ^= 1 << (number & 7);
    // A changed number may be that of another, whose content is another too.
    if (size > 12 && plan.numberOf(bytes, size) >= 0) taken++;
  }
  t.equal(taken, 0);
  t.end();
});

t.test('there are runs of one size, which may end in a shorter one, and groups of mixed sizes', t => {
  const plan = new DatagramPlan(1, LARGEST);
  for (let group = 0; group < 8; group++) {
    const sizes = Array.from({ length: GROUP }, (_, index) => plan.sizeOf(group * GROUP + index));
    const [first = 0, last = 0] = [sizes[0], sizes.at(-1)];
    t.equal(new Set(sizes.slice(0, -1)).size === 1 && last <= first, plan.isRun(group), `group ${group}`);
    t.ok(sizes.every(size => size >= 4 && size <= LARGEST));
  }
  t.end();
});
