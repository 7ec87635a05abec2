// Saves a drawing that stands alone: as it is, or painted at twice its size.
const SCALE = 2;

function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function painted(svg) {
  const image = new Image();
  image.src = URL.createObjectURL(svg);
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = SCALE * image.naturalWidth;
  canvas.height = SCALE * image.naturalHeight;
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise(done => canvas.toBlob(done, 'image/png'));
}

export default function ({ data, parentElement }) {
  for (const button of parentElement.querySelectorAll('button')) {
    const { format } = button.dataset;
    button.onclick = async () => {
      const svg = new Blob([data.svg], { type: 'image/svg+xml' });
      save(format === 'png' ? await painted(svg) : svg, `${data.name}.${format}`);
    };
  }
}
