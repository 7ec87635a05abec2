// Tokens from people reach the page through textContent only.
const states = new WeakMap();
const GAP = 0.12; // of a tile
const LEAST_TILE = 16; // of the canvas's own pixels: a map with few cells gets larger ones
const SAVED_WIDTH = 800; // pixels, at least, of a picture that is taken along
const SVG = 'http://www.w3.org/2000/svg';

function paint(state) {
  const { layers, heads, size, colours } = state.meta;
  const cell = Math.max(1, Math.ceil(LEAST_TILE / size)), tile = size * cell;
  const gap = Math.max(1, Math.round(tile * GAP)), step = tile + gap;
  const width = heads * step - gap, height = layers * step - gap;
  Object.assign(state, { cell, gap, step, width, height });
  const { canvas } = state;
  canvas.width = width; canvas.height = height;
  canvas.style.maxWidth = Math.max(heads * (size > 1 ? 72 : 46), 240) + 'px';
  const context = canvas.getContext('2d'), image = context.createImageData(width, height);
  const out = new Uint32Array(image.data.buffer);
  const table = colours.map(([r, g, b]) => (0xff000000 | (b << 16) | (g << 8) | r) >>> 0);
  for (let number = 0; number < layers * heads; number++) {
    const top = Math.floor(number / heads) * step, left = (number % heads) * step;
    for (let y = 0; y < tile; y++) {
      const row = (number * size + Math.floor(y / cell)) * size, start = (top + y) * width + left;
      for (let x = 0; x < tile; x++)
        out[start + x] = table[state.maps[row + Math.floor(x / cell)]];
    }
  }
  context.putImageData(image, 0, 0);
}

function ring(state) {
  const [layer, head] = state.chosen;
  const { step, gap, width, height } = state;
  const box = state.ring.style;
  const percent = (value, whole) => 100 * value / whole + '%';
  const shown = Math.min(state.canvas.clientWidth || Infinity, parseFloat(state.canvas.style.maxWidth));
  state.ring.parentElement.style.maxWidth = shown + 'px';
  box.left = percent(head * step - gap / 2, width);
  box.top = percent(layer * step - gap / 2, height);
  box.width = percent(step, width);
  box.height = percent(step, height);
}

function legend(state) {
  const { colours, legend } = state.meta;
  const stops = [0, 51, 102, 153, 204, 255].map(i => `rgb(${colours[i].join(' ')})`);
  state.legend.querySelector('.ramp').style.background = `linear-gradient(90deg, ${stops.join(', ')})`;
  state.legend.querySelector('.least').textContent = legend[0];
  state.legend.querySelector('.most').textContent = legend[1];
}

function cell(state, event) {
  const box = state.canvas.getBoundingClientRect();
  const x = Math.floor((event.clientX - box.left) * state.width / box.width);
  const y = Math.floor((event.clientY - box.top) * state.height / box.height);
  const head = Math.floor(x / state.step), layer = Math.floor(y / state.step);
  const column = Math.floor((x - head * state.step) / state.cell);
  const row = Math.floor((y - layer * state.step) / state.cell);
  if (head < 0 || layer < 0 || head >= state.meta.heads || layer >= state.meta.layers) return null;
  return { layer, head, row, column };
}

function describe(state, at) {
  const { heads, size, factor, labels, values, what } = state.meta;
  const name = `layer ${at.layer}, head ${at.head}`;
  if (values) return `${name}: ${what} ${Number(values[at.layer * heads + at.head].toPrecision(6))}`;
  if (at.row >= size || at.column >= size || at.column > at.row) return name;
  const root = state.maps[((at.layer * heads + at.head) * size + at.row) * size + at.column];
  const weight = (root / 255) ** 2;
  const span = index => {
    const first = index * factor, last = Math.min(first + factor, labels.length) - 1;
    return first === last ? `${first} "${labels[first]}"` : `${first} to ${last}`;
  };
  const about = factor > 1 ? 'largest weight about' : 'weight about';
  return `${name} · query ${span(at.row)} looks at key ${span(at.column)}: ${about} ${weight.toFixed(3)}`;
}

function choose(state, layer, head) {
  state.chosen = [layer, head];
  ring(state);
  if (state.meta.values) state.tip.textContent = describe(state, { layer, head });
  state.send('chosen', [layer, head]);
}

// The picture as SVG, with the numbers of layers and heads at its edges.
function paper(state) {
  const { layers, heads, ink, ground } = state.meta;
  const grown = Math.ceil(SAVED_WIDTH / state.width), step = state.step * grown;
  const size = Math.max(10, Math.min(16, step / 3)), edge = 2.5 * size;
  const width = state.width * grown, height = state.height * grown;
  const sheet = document.createElementNS(SVG, 'svg');
  const put = (kind, attributes, text = '') => {
    const made = sheet.appendChild(document.createElementNS(SVG, kind));
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
  };
  sheet.setAttribute('width', width + 1.5 * edge);
  sheet.setAttribute('height', height + 1.5 * edge);
  put('rect', { width: '100%', height: '100%', fill: ground });
  put('image', {
    x: edge, y: edge, width, height, style: 'image-rendering: pixelated',
    href: state.canvas.toDataURL(),
  });
  const write = (x, y, anchor, text) => put('text', {
    x, y, 'text-anchor': anchor, 'dominant-baseline': 'central', fill: ink,
    'font-family': 'sans-serif', 'font-size': size,
  }, text);
  const every = Math.ceil(2 * size / step);
  for (let head = 0; head < heads; head += every) write(edge + (head + 0.45) * step, edge * 0.7, 'middle', head);
  for (let layer = 0; layer < layers; layer += every)
    write(edge * 0.8, edge + (layer + 0.45) * step, 'end', layer);
  write(edge * 0.2, edge * 0.25, 'start', 'layer ↓   head →');
  return sheet;
}

function listen(state) {
  const { canvas } = state;
  canvas.addEventListener('mousemove', event => {
    const at = cell(state, event);
    state.tip.textContent = at ? describe(state, at) : state.idle;
  });
  canvas.addEventListener('mouseleave', () => { state.tip.textContent = state.idle; });
  canvas.addEventListener('click', event => {
    const at = cell(state, event);
    if (at) choose(state, at.layer, at.head);
  });
  canvas.addEventListener('keydown', event => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (!(event.key in move)) return;
    event.preventDefault();
    const [down, right] = move[event.key];
    const layer = Math.min(Math.max(state.chosen[0] + down, 0), state.meta.layers - 1);
    const head = Math.min(Math.max(state.chosen[1] + right, 0), state.meta.heads - 1);
    choose(state, layer, head);
  });
  document.addEventListener('gptviz-save', function saving({ detail }) {
    if (!canvas.isConnected) document.removeEventListener('gptviz-save', saving);
    else if (detail.chart === state.meta.key) detail.picture = paper(state);
  });
}

export default function ({ data, parentElement, setTriggerValue }) {
  let state = states.get(parentElement);
  const isNew = !state;
  if (isNew) {
    const part = name => parentElement.querySelector(name);
    state = { canvas: part('canvas'), ring: part('.ring'), tip: part('.tip'), legend: part('.legend') };
    states.set(parentElement, state);
  }
  state.send = setTriggerValue;
  state.meta = data.meta;
  state.maps = data.maps.getChildAt(0).toArray();
  state.chosen = data.meta.chosen;
  state.idle = data.meta.idle;
  state.tip.textContent = state.idle;
  state.canvas.setAttribute('aria-label', data.meta.spoken);
  parentElement.querySelector('.columns').textContent = `head 0 to ${data.meta.heads - 1} →`;
  parentElement.querySelector('.rows').textContent = `← layer 0 to ${data.meta.layers - 1}`;
  paint(state);
  ring(state);
  legend(state);
  if (isNew) {
    listen(state);
    new ResizeObserver(() => ring(state)).observe(state.canvas);
  }
}
