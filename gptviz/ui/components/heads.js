// Tokens from people reach the page through textContent only.
const states = new WeakMap();
const GAP = 0.12; // of a tile

function paint(state) {
  const { layers, heads, size, colours } = state.meta;
  const gap = Math.max(1, Math.round(size * GAP)), step = size + gap;
  const width = heads * step - gap, height = layers * step - gap;
  Object.assign(state, { gap, step, width, height });
  const { canvas } = state;
  canvas.width = width; canvas.height = height;
  canvas.style.maxWidth = Math.max(heads * 72, 240) + 'px';
  const context = canvas.getContext('2d'), image = context.createImageData(width, height);
  const out = new Uint32Array(image.data.buffer);
  const table = colours.map(([r, g, b]) => (0xff000000 | (b << 16) | (g << 8) | r) >>> 0);
  for (let tile = 0; tile < layers * heads; tile++) {
    const top = Math.floor(tile / heads) * step, left = (tile % heads) * step;
    for (let y = 0; y < size; y++) for (let x = 0; x < size; x++)
      out[(top + y) * width + left + x] = table[state.maps[(tile * size + y) * size + x]];
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

function cell(state, event) {
  const box = state.canvas.getBoundingClientRect();
  const x = Math.floor((event.clientX - box.left) * state.width / box.width);
  const y = Math.floor((event.clientY - box.top) * state.height / box.height);
  const head = Math.floor(x / state.step), layer = Math.floor(y / state.step);
  const column = x - head * state.step, row = y - layer * state.step;
  if (head < 0 || layer < 0 || head >= state.meta.heads || layer >= state.meta.layers) return null;
  return { layer, head, row, column };
}

function describe(state, at) {
  const { size, factor, labels } = state.meta;
  const name = `layer ${at.layer}, head ${at.head}`;
  if (at.row >= size || at.column >= size || at.column > at.row) return name;
  const root = state.maps[((at.layer * state.meta.heads + at.head) * size + at.row) * size + at.column];
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
  state.send('chosen', [layer, head]);
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
}

export default function ({ data, parentElement, setTriggerValue }) {
  let state = states.get(parentElement);
  const isNew = !state;
  if (isNew) {
    state = {
      canvas: parentElement.querySelector('canvas'), ring: parentElement.querySelector('.ring'),
      tip: parentElement.querySelector('.tip'),
    };
    states.set(parentElement, state);
  }
  state.send = setTriggerValue;
  state.meta = data.meta;
  state.maps = data.maps.getChildAt(0).toArray();
  state.chosen = data.meta.chosen;
  state.idle = 'Point at a cell for its weight; click a head, or use the arrow keys, to choose it.';
  state.tip.textContent = state.idle;
  state.canvas.setAttribute('aria-label', data.meta.spoken);
  parentElement.querySelector('.columns').textContent = `head 0 to ${data.meta.heads - 1} →`;
  parentElement.querySelector('.rows').textContent = `← layer 0 to ${data.meta.layers - 1}`;
  paint(state);
  ring(state);
  if (isNew) {
    listen(state);
    new ResizeObserver(() => ring(state)).observe(state.canvas);
  }
}
