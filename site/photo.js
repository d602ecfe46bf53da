// Open a visitor's photo in the browser, and shrink it to what the model needs before it is sent.

// The model sees 160 x 160 pixels; the service decodes JPEGs at up to 640.
const LONG_SIDE = 640;
const JPEG_QUALITY = 0.85;

/** The browser cannot open a file as a photo; the message is for visitors. */
export class PhotoError extends Error {}

/** Open any photo that the browser can decode, upright according to EXIF. */
export async function openPhoto(file) {
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    URL.revokeObjectURL(url);
    throw new PhotoError((await isHeic(file)) ? HEIC : NO_PHOTO);
  }
  return { url, image, aspect: image.naturalWidth / image.naturalHeight };
}

/** Make a small upright JPEG, without EXIF data, of a part of the photo, { x, y, w, h } in fractions. */
export function shrink({ image }, { x, y, w, h }) {
  const [width, height] = [w * image.naturalWidth, h * image.naturalHeight];
  const scale = Math.min(1, LONG_SIDE / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale) || 1;
  canvas.height = Math.round(height * scale) || 1;
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // the service makes transparent parts white, too
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  const [left, top] = [x * image.naturalWidth, y * image.naturalHeight];
  context.drawImage(image, left, top, width, height, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new PhotoError(TOO_LARGE))), "image/jpeg", JPEG_QUALITY);
  });
}

const HEIC = "This browser cannot open HEIC photos. Please use Safari, or save the photo as JPEG and choose that file.";
const NO_PHOTO = "This browser cannot open that file as a photo. Please choose a JPEG, PNG or WebP image.";
const TOO_LARGE = "This photo is too large for this browser. Please choose a smaller one.";

// Look at the content: name and type are often wrong.
async function isHeic(file) {
  const head = new TextDecoder("latin1").decode(await file.slice(4, 12).arrayBuffer());
  return /^ftyp(hei|hev|mif1|msf1)/.test(head);
}
