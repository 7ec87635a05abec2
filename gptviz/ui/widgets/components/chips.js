// Pieces of a person's text, side by side. They reach the page through textContent only.
const states = new WeakMap();
const COLOURS = 5;

function draw(state) {
  const { place, data } = state;
  const made = document.createDocumentFragment();
  state.chips = data.chips.map(({ label, id, split, ends_line }, i) => {
    if (i === data.n_read) made.append(cut());
    const chip = document.createElement('span');
    const unread = i >= data.n_read;
    chip.className = `chip c${i % COLOURS}${split ? ' split' : ''}${unread ? ' unread' : ''}`;
    chip.id = `chip-${i}`;
    chip.setAttribute('role', data.choosable ? 'option' : 'listitem');
    if (unread) chip.setAttribute('aria-disabled', 'true');
    chip.textContent = label;
    if (id !== undefined) chip.dataset.number = id;
    made.append(chip);
    if (ends_line) made.append(document.createElement('br'));
    return chip;
  });
  place.replaceChildren(made);
  state.chosen = null;
}

function cut() {
  const mark = document.createElement('span');
  mark.className = 'cut';
  mark.textContent = '✂ the model stops reading here';
  return mark;
}

function mark(state, chosen, scroll) {
  state.chips[state.chosen]?.classList.remove('chosen');
  state.chips[state.chosen]?.setAttribute('aria-selected', 'false');
  const chip = state.chips[chosen];
  state.chosen = chip ? chosen : null;
  if (chip) {
    chip.classList.add('chosen');
    chip.setAttribute('aria-selected', 'true');
    state.place.setAttribute('aria-activedescendant', chip.id);
    if (scroll) show(state.place, chip);
  }
  state.tip.textContent = about(state, state.chosen);
}

// Scrolls the chips alone: the page itself stays where the reader is.
function show(place, chip) {
  const box = place.getBoundingClientRect(), at = chip.getBoundingClientRect();
  if (at.top < box.top) place.scrollTop += at.top - box.top;
  if (at.bottom > box.bottom) place.scrollTop += at.bottom - box.bottom;
}

function about(state, index) {
  const said = state.data.chips[index]?.about ?? state.data.idle;
  return index >= state.data.n_read ? `${said} · not read` : said;
}

function choose(state, index) {
  if (!state.data.choosable || !(index in state.chips) || index >= state.data.n_read) return;
  mark(state, index, true);
  state.send('chosen', index);
}

function listen(state) {
  const { place } = state;
  const under = event => state.chips.indexOf(event.target.closest('.chip'));
  place.addEventListener('mouseover', event => {
    const index = under(event);
    state.tip.textContent = about(state, index < 0 ? state.chosen : index);
  });
  place.addEventListener('mouseleave', () => { state.tip.textContent = about(state, state.chosen); });
  place.addEventListener('click', event => choose(state, under(event)));
  place.addEventListener('keydown', event => {
    const last = state.data.n_read - 1, now = state.chosen ?? 0;
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[event.key];
    if (to === undefined || !state.data.choosable) return;
    event.preventDefault();
    choose(state, Math.min(Math.max(to, 0), last));
  });
}

export default function ({ data, parentElement, setTriggerValue }) {
  let state = states.get(parentElement);
  const isNew = !state;
  if (isNew) {
    const find = name => parentElement.querySelector(name);
    state = { place: find('.chips'), tip: find('.tip') };
    states.set(parentElement, state);
    listen(state);
  }
  state.send = setTriggerValue;
  state.data = data;
  state.place.classList.toggle('choosable', data.choosable);
  state.place.setAttribute('role', data.choosable ? 'listbox' : 'list');
  state.place.setAttribute('aria-label', data.spoken);
  if (data.choosable) state.place.tabIndex = 0;
  const text = JSON.stringify([data.chips, data.n_read]);
  const isOther = text !== state.text;
  state.text = text;
  if (isOther) draw(state);
  mark(state, data.chosen, !isOther);
}
