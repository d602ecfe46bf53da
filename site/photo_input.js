// Take photos from buttons, camera, drag and drop, and paste.

/** Call `onPhoto` with each chosen File. */
export function takePhotos(onPhoto) {
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
  });

  const dragging = (yes) => document.body.classList.toggle("dragging", yes);
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    dragging(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) dragging(false); // left the window, not just an element
  });
  document.addEventListener("drop", (event) => {
    dragging(false);
    const { files } = event.dataTransfer;
    if (!files.length) return;
    event.preventDefault(); // or the browser would open the file instead of the page
    onPhoto(imageAmong(files) ?? files[0]);
  });
}

function imageAmong(files) {
  return [...files].find((file) => file.type.startsWith("image/"));
}
