// What `ginnel server export` and `ginnel server import` show.
import type { ExportedServer, ServerSummary } from '../../server/admin.ts';
import { plain } from '../words.ts';

export function exportScreen({ networkName, nodes, sealed, moved }: ExportedServer, path: string): string {
  const boxes = `${nodes} ${nodes === 1 ? 'box' : 'boxes'}`;
  const lines = [`The location server of ${plain(networkName)} (${boxes}) is in ${path}.`];
  if (!sealed) lines.push("It holds the server's keys in the clear: who has the file can be the server.");
  if (moved) {
    lines.push(
      'This server is stopped and does not start here again by itself. On the new machine:',
      `  sudo ginnel server import ${path}`,
      'Should it stay here after all: sudo ginnel server --again',
    );
  }
  return lines.join('\n');
}

export function importScreen({ networkName, nodes, port, addresses }: ServerSummary): string {
  const boxes = `${nodes.length} ${nodes.length === 1 ? 'box' : 'boxes'}`;
  return [
    `Location server of ${plain(networkName)} ready, ${boxes}, port ${port} (TCP and UDP).`,
    `Boxes are told: ${addresses.map(plain).join(', ')}.`,
    'Boxes that reach it tell the others. Where none does, say on one of them: ginnel set server ADDRESS',
    'The old server must not run any more (ginnel server export --move has stopped it).',
  ].join('\n');
}
