// Files that leave the page and come to it: without a server in between.

const FORGET_MS = 60_000;

export function download(name: string, content: string, type = 'application/json'): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(address), FORGET_MS);
}

/** `attic-nas-2026-11-26`, whatever stands in the name. */
export const fileName = (name: string, at: number): string =>
  `${name.replaceAll(/[^\w-]+/g, '-') || 'ginnel'}-${new Date(at).toISOString().slice(0, 10)}`;
