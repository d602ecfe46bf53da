// Take photos from buttons, camera, drag and drop, and paste.

/** Call `onPhoto` with each chosen File, and `onOther` where something else than a file is dropped or pasted. */
export function takePhotos(onPhoto, onOther) {
  for (const input of document.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      const [photo] = input.files;
      input.value = ""; // so that choosing the same photo again is a change
      if (photo) onPhoto(photo);
    });
  }

  document.addEventListener("paste", ({ clipboardData }) => {
    const photo = imageAmong(clipboardData.files);
    if (photo) onPhoto(photo);
    else if (clipboardData.types.length) onOther();
  });

  const dragging = (yes) => document.body.classList.toggle("dragging", yes);
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // or there would be no drop
    dragging(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) dragging(false); // left the window, not just an element
  });
  document.addEventListener("drop", (event) => {
    dragging(false);
    const { files } = event.dataTransfer;
    event.preventDefault(); // or the browser would open the file or address instead of the page
    if (files.length) onPhoto(imageAmong(files) ?? files[0]);
    else onOther();
  });
}

function imageAmong(files) {
  return [...files].find((file) => file.type.startsWith("image/"));
}
