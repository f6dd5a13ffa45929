// An invite read from a QR code: by a photo, which works over plain HTTP too, or live where the browser lends its camera.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useAction } from '../state/action.ts';
import { announce } from '../state/announce.ts';
import { useWords } from '../state/language.ts';
import { readQr } from '../state/qr-reader.ts';
import { Button } from './basics.tsx';
import { Dialog } from './dialog.tsx';
import { Icon } from './icon.tsx';

const LOOK_EVERY_MS = 200;
const hasCamera = (): boolean => 'mediaDevices' in navigator && window.isSecureContext;

export function Scan({ onFound }: { readonly onFound: (text: string) => void }): JSX.Element {
  const { t } = useWords();
  const [isLive, setLive] = useState(false);
  const [isMissed, setMissed] = useState(false);
  const action = useAction();
  const found = (text: string): void => {
    setLive(false);
    setMissed(false);
    onFound(text);
    announce(t('scan.found'));
  };
  const photo = (files: FileList | null): void => {
    const file = files?.[0];
    if (file === undefined) return;
    void action.run(async () => {
      const text = await readQr(await createImageBitmap(file)).catch(() => null);
      if (text === null) setMissed(true);
      else found(text);
    });
  };
  return (
    <div class="stack-tight">
      <div class="row">
        <label class={action.busy ? 'button button-plain is-busy' : 'button button-plain'}>
          <Icon name="camera" />
          <span>{t('scan.photo')}</span>
          <input
            type="file"
            accept="image/*"
            capture="environment"
            class="offscreen"
            onChange={event => photo(event.currentTarget.files)}
          />
        </label>
        {hasCamera() && <Button onClick={() => setLive(true)}>{t('scan.live')}</Button>}
      </div>
      {isMissed && (
        <p class="field-error" role="alert">
          {t('scan.missed')}
        </p>
      )}
      {isLive && <Camera onFound={found} onClose={() => setLive(false)} />}
    </div>
  );
}

function Camera(props: {
  readonly onFound: (text: string) => void;
  readonly onClose: () => void;
}): JSX.Element {
  const { t } = useWords();
  const video = useRef<HTMLVideoElement>(null);
  const [isRefused, setRefused] = useState(false);
  useEffect(() => {
    let stream: MediaStream | null = null;
    let timer = 0;
    let isOver = false;
    const look = async (): Promise<void> => {
      if (isOver || video.current === null) return;
      const text = video.current.readyState < 2 ? null : await readQr(video.current).catch(() => null);
      if (text !== null) props.onFound(text);
      else timer = window.setTimeout(() => void look(), LOOK_EVERY_MS);
    };
    navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }).then(
      opened => {
        stream = opened;
        if (isOver || video.current === null) {
          end(opened);
          return;
        }
        video.current.srcObject = opened;
        void video.current.play().then(look);
      },
      () => setRefused(true),
    );
    return () => {
      isOver = true;
      window.clearTimeout(timer);
      end(stream);
    };
  }, []);
  return (
    <Dialog title={t('scan.live')} onClose={props.onClose}>
      {isRefused ? (
        <p role="alert">{t('scan.refused')}</p>
      ) : (
        <video ref={video} class="camera" muted playsInline />
      )}
    </Dialog>
  );
}

function end(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
