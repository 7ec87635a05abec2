// The SVG text is never given to innerHTML: it is parsed as XML and copied element by element, and
// only elements and attributes that a diagram needs are copied.
const NS = 'http://www.w3.org/2000/svg';
const ELEMENTS = new Set(['svg', 'g', 'defs', 'marker', 'rect', 'circle', 'path', 'polyline',
  'polygon', 'text', 'image', 'title']);
const NARROW = 560;
const states = new WeakMap();

function copied(node) {
  const twin = document.createElementNS(NS, node.localName);
  for (const { name, value } of node.attributes) {
    const address = name === 'href' && !value.startsWith('data:image/png;base64,');
    if (!address && !name.startsWith('on') && name !== 'style') twin.setAttribute(name, value);
  }
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) twin.append(child.data);
    else if (ELEMENTS.has(child.localName)) twin.append(copied(child));
  }
  return twin;
}

function show(state) {
  const text = state.stage.clientWidth < NARROW ? state.data.narrow : state.data.wide;
  if (text !== state.shown) {
    const focused = state.stage.getRootNode().activeElement?.dataset?.path;
    const parsed = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
    const size = parsed.getAttribute('viewBox').split(' ').map(Number);
    const before = state.svg && places(state.svg, size[2] / state.size[2]);
    state.svg = copied(parsed);
    if (!state.size || size.join() !== state.size.join()) state.view = [...size];
    state.size = size;
    state.shown = text;
    state.stage.replaceChildren(state.svg);
    look(state);
    if (before) move(state.svg, before);
    if (focused) nearest(state, focused)?.focus({ preventScroll: true });
  }
  select(state, state.data.selected);
}

// Where the parts are, in units of which the whole picture's width has `unit` times as many.
function places(svg, unit = 1) {
  const scaled = ({ x, y, width, height }) =>
    ({ x: x * unit, y: y * unit, width: width * unit, height: height * unit });
  return new Map([...svg.querySelectorAll('.part')].map(part => [part.dataset.path, scaled(part.getBBox())]));
}

// Parts that were there before glide to their new place, all else fades in.
function move(svg, before) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const after = places(svg);
  const moved = path => {
    const a = before.get(path), b = after.get(path);
    return !a || [a.x - b.x, a.y - b.y, a.width - b.width, a.height - b.height].some(d => Math.abs(d) > 1);
  };
  if (after.size === before.size && ![...after.keys()].some(moved)) return;
  for (const node of svg.children) {
    const a = before.get(node.dataset?.path), b = after.get(node.dataset?.path);
    const from = a && b?.width
      ? { transform: `translate(${a.x - b.x}px, ${a.y - b.y}px) scale(${a.width / b.width}, ${a.height / b.height})` }
      : { opacity: 0 };
    node.animate([from, {}], { duration: 260, easing: 'ease-out' });
  }
}

function showLevels(state) {
  const { levels } = state.data;
  const shown = JSON.stringify(levels);
  if (shown === state.shownLevels) return;
  state.shownLevels = shown;
  const focused = state.levels.contains(state.levels.getRootNode().activeElement);
  state.levels.replaceChildren(...levels.map(({ path, name }, i) => {
    const button = document.createElement('button');
    button.textContent = name;
    button.dataset.level = path;
    if (i === levels.length - 1) button.setAttribute('aria-current', 'location');
    return button;
  }));
  if (focused) state.levels.lastElementChild.focus();
}

function element(name, text = '', className = '') {
  return Object.assign(document.createElement(name), { textContent: text, className });
}

function showLegend(state) {
  const { legend } = state.data;
  state.wrap.classList.toggle('dark', state.data.dark);
  state.legend.replaceChildren();
  state.legend.hidden = !legend;
  if (!legend) return;
  const shades = element('span', '', 'shades');
  for (let i = 0; i < state.data.shades; i++) shades.append(element('i', '', `m${i}`));
  const scale = element('div', '', 'scale');
  scale.append(element('span', legend.low), shades, element('span', legend.high));
  state.legend.append(element('div', legend.about), scale);
}

function walk(state, path) {
  state.send('walked', path);
}

function at(state, path) {
  return [...state.svg.querySelectorAll('.part')].find(part => part.dataset.path === path);
}

// The part at a path or, where that is closed now, the one it is in.
function nearest(state, path) {
  const pieces = path.split('.');
  while (pieces.length && !at(state, pieces.join('.'))) pieces.pop();
  return at(state, pieces.join('.'));
}

function select(state, path) {
  for (const part of state.svg.querySelectorAll('.part')) {
    part.classList.toggle('selected', part.dataset.path === path);
  }
}

function look(state) {
  const [x, y, w, h] = state.view;
  state.svg.setAttribute('viewBox', `${x} ${y} ${w} ${h}`);
  state.svg.classList.toggle('zoomed', w < state.size[2]);
}

function zoom(state, factor, px = 0.5, py = 0.5) {
  const [x, y, w, h] = state.view;
  const [, , W, H] = state.size;
  const scale = factor ? Math.min(1, Math.max(0.1, w / W / factor)) : 1;
  const [nw, nh] = [W * scale, H * scale];
  state.view = [x + (w - nw) * px, y + (h - nh) * py, nw, nh];
  keepInside(state);
  look(state);
}

function keepInside(state) {
  const [x, y, w, h] = state.view;
  const [, , W, H] = state.size;
  state.view = [Math.min(Math.max(x, 0), W - w), Math.min(Math.max(y, 0), H - h), w, h];
}

// Who walks by keyboard sees where they are, however near the picture is.
function reveal(state, part) {
  const [x, y, w, h] = state.view;
  const box = part.getBBox();
  const [px, py] = [box.x + box.width / 2, box.y + box.height / 2];
  if (px > x && px < x + w && py > y && py < y + h) return;
  state.view = [px - w / 2, py - h / 2, w, h];
  keepInside(state);
  look(state);
}

function pick(state, part) {
  if (!part) return;
  select(state, part.dataset.path);
  state.send('clicked', part.dataset.path);
}

function listen(state, root) {
  let drag = null;
  const place = event => {
    const box = state.svg.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  state.stage.addEventListener('wheel', event => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(state, Math.exp(-event.deltaY * 0.005), ...place(event));
  }, { passive: false });
  state.stage.addEventListener('pointerdown', event => {
    drag = { at: place(event), view: [...state.view], far: false };
  });
  state.stage.addEventListener('pointermove', event => {
    if (!drag || !event.buttons) return;
    const [px, py] = place(event);
    const [x, y, w, h] = drag.view;
    const dx = px - drag.at[0], dy = py - drag.at[1];
    drag.far ||= Math.hypot(dx, dy) > 0.01;
    state.view = [x - dx * w, y - dy * h, w, h];
    keepInside(state);
    look(state);
  });
  state.stage.addEventListener('click', event => {
    if (!drag?.far) pick(state, event.target.closest('[data-path]'));
  });
  state.stage.addEventListener('focusin', event => {
    const part = event.target.closest('.part');
    if (part) reveal(state, part);
  });
  state.levels.addEventListener('click', event => {
    const path = event.target.dataset.level;
    if (path !== undefined) walk(state, path);
  });
  root.querySelector('.wrap').addEventListener('keydown', event => {
    const outside = state.data.levels.at(-2);
    if (event.key !== 'Escape' || !outside) return;
    event.preventDefault();
    walk(state, outside.path);
  });
  state.stage.addEventListener('keydown', event => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    pick(state, event.target.closest('.part'));
  });
  root.querySelector('.tools').addEventListener('click', event => {
    const factor = event.target.dataset.zoom;
    if (factor !== undefined) zoom(state, Number(factor));
  });
  new ResizeObserver(() => show(state)).observe(state.stage);
}

export default function ({ data, parentElement, setTriggerValue }) {
  let state = states.get(parentElement);
  const isNew = !state;
  if (isNew) {
    const find = name => parentElement.querySelector(name);
    state = { stage: find('.stage'), levels: find('nav'), legend: find('.legend'), wrap: find('.wrap') };
    states.set(parentElement, state);
  }
  state.data = data;
  state.send = setTriggerValue;
  show(state);
  showLevels(state);
  showLegend(state);
  if (isNew) listen(state, parentElement);
}
