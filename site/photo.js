// A person's photo: opened by the browser itself, and made as small as the model needs before it is sent.

// The model sees 160 pixels a side, and the service itself begins with 640.
const LONG_SIDE = 640;
const JPEG_QUALITY = 0.85;

/** A file that is no photo to this browser; the message is for people. */
export class PhotoError extends Error {}

/** Open whatever the browser can decode, upright as EXIF says. */
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

/**
 * A small upright JPEG of the part `box` ({ x, y, w, h } in fractions) of the photo, without place and time. Cut here
 * from the original rather than by the service from the small photo: a quarter of the width has 640 pixels, not 160.
 */
export function shrink({ image }, { x, y, w, h }) {
  const [width, height] = [w * image.naturalWidth, h * image.naturalHeight];
  const scale = Math.min(1, LONG_SIDE / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale) || 1;
  canvas.height = Math.round(height * scale) || 1;
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // what is transparent is white to the service, too
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  const [left, top] = [x * image.naturalWidth, y * image.naturalHeight];
  context.drawImage(image, left, top, width, height, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new PhotoError(TOO_LARGE))), "image/jpeg", JPEG_QUALITY);
  });
}

const HEIC = "This browser cannot open HEIC photos; Safari can. Or save the photo as JPEG, and choose that.";
const NO_PHOTO = "This browser cannot open that file as a photo. Please choose a JPEG, PNG or WebP image.";
const TOO_LARGE = "This photo is too large for this browser. Please choose a smaller one.";

// By content: name and type are often wrong.
async function isHeic(file) {
  const head = new TextDecoder("latin1").decode(await file.slice(4, 12).arrayBuffer());
  return /^ftyp(hei|hev|mif1|msf1)/.test(head);
}
