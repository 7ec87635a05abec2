// One head's weights as lines from queries to keys. Tokens reach the page through textContent only.
const states = new WeakMap();
const SVG = 'http://www.w3.org/2000/svg';
const FAINT = 0.3; // how strong the other tokens' lines are beside those of the one in sight
const NAMED = 5; // how many weights are told in words

const shown = (state, query, key) => state.weights[query * state.meta.labels.length + key];

const earlier = count => `${count} earlier token${count === 1 ? '' : 's'}`;

function row(state, index) { // of the token at this place of the window; one row is above it if cut
  return (index + (state.meta.first ? 1 : 0) + 0.5) * state.height;
}

function item(list, state, token, place, name) {
  const entry = list.appendChild(document.createElement('li'));
  entry.style.height = state.height + 'px';
  entry.classList.toggle('dense', state.height < 20);
  for (const [kind, text] of [['token', token], ['place', place], ['weight', '']]) {
    const span = entry.appendChild(document.createElement('span'));
    span.className = kind;
    span.textContent = text;
  }
  if (name) { entry.setAttribute('role', 'option'); entry.id = name; }
  else entry.classList.add('aside');
  return entry;
}

function fill(state) {
  const { first, labels } = state.meta;
  for (const side of ['queries', 'keys']) {
    const list = state[side];
    list.replaceChildren();
    if (first) item(list, state, side === 'keys' ? earlier(first) : '', '', '');
    state.entries[side] = labels.map((label, i) =>
      item(list, state, label, first + i, `${side}-${first + i}`));
    state.entries[side].forEach((entry, index) => {
      entry.onmouseenter = () => look(state, { side, index });
      entry.onclick = () => choose(state, { side, index });
    });
  }
  const rows = labels.length + (first ? 1 : 0);
  state.svg.setAttribute('viewBox', `0 0 100 ${rows * state.height}`);
  state.svg.style.height = rows * state.height + 'px';
}

function line(state, from, to, weight, strength) {
  const path = state.svg.appendChild(document.createElementNS(SVG, 'path'));
  path.setAttribute('d', `M0 ${from} C45 ${from} 55 ${to} 100 ${to}`);
  path.setAttribute('stroke', state.meta.colour);
  path.setAttribute('stroke-width', 1 + 4 * weight);
  path.setAttribute('stroke-opacity', Math.sqrt(weight) * strength);
}

function draw(state, at) {
  const { labels, least, first, before } = state.meta;
  state.svg.replaceChildren();
  const only = !state.idle;
  for (let query = 0; query < labels.length; query++) {
    const inSight = at.side === 'queries' && query === at.index;
    for (let key = 0; key <= query; key++) {
      const mine = inSight || (at.side === 'keys' && key === at.index);
      const weight = shown(state, query, key);
      if (weight >= least && (mine || !only)) line(state, row(state, query), row(state, key), weight, mine ? 1 : FAINT);
    }
    if (first && before[query] >= least && (inSight || !only))
      line(state, row(state, query), state.height / 2, before[query], inSight ? 1 : FAINT);
  }
}

function weightsOf(state, { side, index }) { // [place, weight] of the other side's tokens
  const { labels } = state.meta;
  const places = [...labels.keys()].filter(i => (side === 'queries' ? i <= index : i >= index));
  return places.map(i => [i, side === 'queries' ? shown(state, index, i) : shown(state, i, index)]);
}

function tell(state, at) {
  const { labels, first, before } = state.meta;
  const named = i => `${first + i} “${labels[i]}”`;
  const found = weightsOf(state, at).sort((a, b) => b[1] - a[1]).slice(0, NAMED);
  const list = found.map(([i, weight]) => `${named(i)} ${weight.toFixed(4)}`).join(', ');
  const does = at.side === 'queries' ? 'looks at' : 'is looked at by';
  const rest = first && at.side === 'queries'
    ? `; what it gives to the ${earlier(first)}: ${before[at.index].toFixed(4)}` : '';
  state.tip.textContent = `${named(at.index)} ${does}: ${list}${rest}`;
}

function mark(state, at) {
  for (const side of ['queries', 'keys']) {
    for (const entry of state[side].children) {
      entry.classList.remove('at');
      entry.querySelector('.weight').textContent = '';
    }
    state[side].removeAttribute('aria-activedescendant');
  }
  const entry = state.entries[at.side][at.index];
  entry.classList.add('at');
  state[at.side].setAttribute('aria-activedescendant', entry.id);
  const other = at.side === 'queries' ? 'keys' : 'queries';
  for (const [i, weight] of weightsOf(state, at))
    if (weight >= state.meta.least) state.entries[other][i].querySelector('.weight').textContent = weight.toFixed(3);
  if (state.meta.first && at.side === 'queries')
    state.keys.firstChild.querySelector('.weight').textContent = state.meta.before[at.index].toFixed(3);
}

function look(state, at) {
  state.at = at;
  state.idle = false;
  show(state);
}

function rest(state) { // back to the chosen token, with all others' lines behind
  state.at = { side: 'queries', index: state.meta.chosen - state.meta.first };
  state.idle = true;
  show(state);
}

function show(state) {
  draw(state, state.at);
  mark(state, state.at);
  tell(state, state.at);
}

function choose(state, { index }) {
  state.send('chosen', state.meta.first + index);
}

function listen(state, parent) {
  parent.querySelector('.columns').addEventListener('mouseleave', () => rest(state));
  for (const side of ['queries', 'keys']) {
    state[side].addEventListener('focus', () => {
      if (state[side].matches(':focus-visible')) look(state, { side, index: state.at.index });
    });
    state[side].addEventListener('keydown', event => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (event.key === 'Enter') choose(state, state.at);
      if (!step) return;
      event.preventDefault();
      const index = Math.min(Math.max(state.at.index + step, 0), state.meta.labels.length - 1);
      look(state, { side, index });
    });
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  let state = states.get(parentElement);
  const isNew = !state;
  if (isNew) {
    const part = name => parentElement.querySelector(name);
    state = { svg: part('svg'), queries: part('.queries'), keys: part('.keys'), tip: part('.tip'), entries: {} };
    states.set(parentElement, state);
  }
  state.send = setTriggerValue;
  state.meta = data.meta;
  state.weights = data.weights.getChildAt(0).toArray();
  state.height = data.meta.labels.length <= 28 ? 24 : 18;
  fill(state);
  rest(state);
  if (isNew) listen(state, parentElement);
}
