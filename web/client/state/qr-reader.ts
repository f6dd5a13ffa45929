// Reads a QR code from a picture. The decoder is large, and loaded only when somebody scans.

/** Large photos are looked at in this size: more pixels make it slower, not better. */
const LONGEST = 1200;

type Picture = ImageBitmap | HTMLVideoElement;

/** Null: there is none to be seen. */
export async function readQr(picture: Picture): Promise<string | null> {
  const [width, height] =
    picture instanceof HTMLVideoElement
      ? [picture.videoWidth, picture.videoHeight]
      : [picture.width, picture.height];
  const scale = Math.min(1, LONGEST / Math.max(width, height, 1));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return null;
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const { default: jsQR } = await import('jsqr');
  return jsQR(image.data, image.width, image.height)?.data ?? null;
}
