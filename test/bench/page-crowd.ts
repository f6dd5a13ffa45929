// The page of a made-up box with many peers whose traffic moves, for the bench: node page-crowd.js PORT COUNT. Says so on a
// line once it answers.
import { crowd } from '../support/made-up-household.ts';
import { serveMadeUpPage } from '../support/made-up-page.ts';

const [port, count] = process.argv.slice(2).map(Number);
const { address } = await serveMadeUpPage({
  peers: crowd(count ?? 0),
  ...(port === undefined ? {} : { port }),
});
process.stdout.write(`${address}\n`);
