// Whether the page is as narrow as on a phone, where some things stand in another order (styles: max-width: 640px).
import { useEffect, useState } from 'preact/hooks';

const NARROW = '(max-width: 640px)';

export function useIsPhone(): boolean {
  const [isNarrow, setNarrow] = useState(() => window.matchMedia(NARROW).matches);
  useEffect(() => {
    const query = window.matchMedia(NARROW);
    const look = (): void => setNarrow(query.matches);
    look();
    query.addEventListener('change', look);
    return () => query.removeEventListener('change', look);
  }, []);
  return isNarrow;
}
