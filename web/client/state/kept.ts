// What this browser keeps of its reader's taste: language and colours. A browser that keeps nothing is no trouble.

type Key = 'language' | 'theme';

export function kept(key: Key): string | null {
  try {
    return localStorage.getItem(`ginnel.${key}`);
  } catch {
    return null;
  }
}

export function keep(key: Key, value: string): void {
  try {
    localStorage.setItem(`ginnel.${key}`, value);
  } catch {
    // It holds until the page is closed.
  }
}
