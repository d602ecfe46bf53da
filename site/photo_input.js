// The ways a photo comes in: button, phone camera, drag and drop, paste.

/** `onPhoto` gets the chosen File. */
export function takePhotos(onPhoto) {
  for (const input of document.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      const [photo] = input.files;
      input.value = ""; // choosing the same photo again is a change again
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
    if (!event.relatedTarget) dragging(false); // has left the window, not just an element
  });
  document.addEventListener("drop", (event) => {
    dragging(false);
    const { files } = event.dataTransfer;
    if (!files.length) return;
    event.preventDefault(); // or the browser would open it in place of the page
    onPhoto(imageAmong(files) ?? files[0]);
  });
}

function imageAmong(files) {
  return [...files].find((file) => file.type.startsWith("image/"));
}
