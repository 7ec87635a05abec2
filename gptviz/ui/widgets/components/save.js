// Saves a picture of the page. A plotly chart is saved by its own camera button: plotly itself is
// not to be reached from here. All else is drawn a second time, as SVG: a component's canvas by the
// component, when it hears of it; words, boxes and lines here, each where it is on the screen.
const SVG = 'http://www.w3.org/2000/svg';
const SCALE = 2; // pixels of a saved picture for each on the screen
const EDGE = 12;

const DRAWN = { canvas: ofCanvas, words: ofWords };

function save({ chart, name, drawn }, format) {
  if (drawn === 'plotly') return savePlot(chart, name, format);
  const picture = DRAWN[drawn](chart);
  if (!picture) return;
  const file = new Blob([new XMLSerializer().serializeToString(picture)], { type: 'image/svg+xml' });
  if (format === 'svg') keep(file, `${name}.svg`);
  else asPng(file, picture).then(png => keep(png, `${name}.png`));
}

function savePlot(chart, name, format) {
  const plot = document.querySelector(`.st-key-${chart} .js-plotly-plot`);
  if (!plot) return;
  Object.assign(plot._context.toImageButtonOptions, { format, filename: name, scale: SCALE });
  plot.querySelector('.modebar-btn[data-title^="Download"]').click();
}

function ofCanvas(chart) {
  const wanted = { chart }; // whoever draws this chart puts its picture here, at once
  document.dispatchEvent(new CustomEvent('gptviz-save', { detail: wanted }));
  return wanted.picture;
}

function ofWords(chart) {
  const host = [...document.querySelectorAll(`.st-key-${chart} *`)].find(each => each.shadowRoot);
  return host && redrawn(host.shadowRoot.querySelector('.wrap'));
}

function keep(file, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function asPng(file, picture) {
  const image = new Image(), canvas = document.createElement('canvas');
  image.src = URL.createObjectURL(file);
  await image.decode();
  canvas.width = SCALE * picture.getAttribute('width');
  canvas.height = SCALE * picture.getAttribute('height');
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise(done => canvas.toBlob(done));
}

function put(parent, kind, attributes) {
  const made = parent.appendChild(document.createElementNS(SVG, kind));
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function redrawn(wrap) {
  const picture = document.createElementNS(SVG, 'svg'), corner = wrap.getBoundingClientRect();
  const ground = put(picture, 'rect', { fill: pageColour(), width: '100%', height: '100%' });
  const sheet = { picture, left: corner.left - EDGE, top: corner.top - EDGE, width: 0, height: 0 };
  redraw(wrap, sheet, 1);
  picture.setAttribute('width', Math.ceil(sheet.width + EDGE));
  picture.setAttribute('height', Math.ceil(sheet.height + EDGE));
  picture.prepend(ground);
  return picture;
}

const pageColour = () =>
  getComputedStyle(document.querySelector('[data-testid="stApp"]')).backgroundColor;

function place(sheet, box) {
  const x = box.left - sheet.left, y = box.top - sheet.top;
  sheet.width = Math.max(sheet.width, x + box.width);
  sheet.height = Math.max(sheet.height, y + box.height);
  return { x, y, width: box.width, height: box.height };
}

function redraw(element, sheet, above) {
  const style = getComputedStyle(element), opacity = above * style.opacity;
  const box = element.getBoundingClientRect();
  if (style.display === 'none' || style.visibility === 'hidden' || !box.width) return;
  if (element.localName === 'svg') return lines(element, place(sheet, box), sheet, opacity);
  boxOf(element, style, box, sheet, opacity);
  sheet.top -= element.scrollTop; // what is scrolled out of sight is in the picture, too
  for (const child of element.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) words(child, style, box, sheet, opacity);
    else if (child.nodeType === Node.ELEMENT_NODE) redraw(child, sheet, opacity);
  }
  sheet.top += element.scrollTop;
}

function boxOf(element, style, box, sheet, opacity) {
  const stops = style.backgroundImage.match(/rgba?\([^)]*\)/g);
  const filled = stops || !/^rgba\(.*, 0\)$/.test(style.backgroundColor);
  const border = parseFloat(style.borderTopWidth), ring = element.ariaSelected === 'true';
  if (!filled && !border && !ring) return;
  put(sheet.picture, 'rect', {
    ...place(sheet, box),
    rx: parseFloat(style.borderTopLeftRadius) || 0,
    fill: !filled ? 'none' : stops ? ramp(stops, sheet) : style.backgroundColor,
    stroke: ring ? style.outlineColor : border ? style.borderTopColor : 'none',
    'stroke-width': ring ? parseFloat(style.outlineWidth) : border,
    opacity,
  });
}

function ramp(stops, { picture }) { // evenly spaced, from left to right
  const id = `ramp-${picture.childElementCount}`;
  const gradient = put(picture, 'linearGradient', { id });
  stops.forEach((colour, i) =>
    put(gradient, 'stop', { offset: i / (stops.length - 1), 'stop-color': colour }));
  return `url(#${id})`;
}

function lines(drawn, at, { picture }, opacity) {
  const inside = drawn.viewBox.baseVal;
  const moved = (_, x, y) => `${at.x + (x * at.width) / inside.width} ${at.y + (y * at.height) / inside.height}`;
  for (const path of drawn.querySelectorAll('path')) {
    const copy = put(picture, 'path', { fill: 'none', opacity });
    for (const name of ['stroke', 'stroke-width', 'stroke-opacity'])
      copy.setAttribute(name, path.getAttribute(name));
    copy.setAttribute('d', path.getAttribute('d').replace(/(-?[\d.]+) (-?[\d.]+)/g, moved));
  }
}

function words(node, style, box, sheet, opacity) {
  for (const [text, at] of rowsOf(node)) {
    const { x, y, width, height } = place(sheet, at);
    const seen = Math.min(width, box.right - at.left); // the rest is behind an ellipsis
    const count = seen < width - 1 ? Math.max(1, Math.floor((text.length * seen) / width) - 1) : text.length;
    const written = put(sheet.picture, 'text', {
      x, y: y + height / 2, 'dominant-baseline': 'central', fill: style.color, opacity,
      'font-family': style.fontFamily, 'font-size': style.fontSize,
      'font-weight': style.fontWeight, 'font-style': style.fontStyle,
      textLength: Math.min(width, seen), lengthAdjust: 'spacingAndGlyphs',
    });
    written.textContent = count < text.length ? text.slice(0, count) + '…' : text;
  }
}

function rowsOf(node) { // the text of each row that the words take, and its box
  const range = document.createRange(), rows = [], letters = [...node.data];
  range.selectNodeContents(node);
  const whole = range.getBoundingClientRect();
  if (!node.data.trim() || !whole.width) return [];
  if (range.getClientRects().length === 1) return [[node.data, whole]];
  let from = 0;
  for (const letter of letters) {
    range.setStart(node, from);
    range.setEnd(node, (from += letter.length));
    const box = range.getBoundingClientRect(), last = rows.at(-1);
    if (!box.width) continue;
    if (last && Math.abs(last[1].top - box.top) < 2)
      rows[rows.length - 1] = [last[0] + letter, joined(last[1], box)];
    else rows.push([letter, box]);
  }
  return rows;
}

const joined = (one, other) =>
  new DOMRect(one.left, one.top, other.right - one.left, Math.max(one.height, other.height));

export default function ({ data, parentElement }) {
  for (const button of parentElement.querySelectorAll('button')) {
    button.title = `save this picture as ${button.textContent}`;
    button.onclick = () => save(data, button.dataset.format);
  }
}
