// Tokens from people reach the page through textContent and title only.
const css = colour => `rgb(${colour.join(',')})`;

function inkOn([red, green, blue]) {
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255 > 0.55 ? '#111827' : '#f9fafb';
}

function legend(root, { colours, least, most, what }) {
  const stops = colours.filter((_, i) => i % 51 === 0).map(css);
  root.querySelector('.bar').style.background = `linear-gradient(90deg, ${stops.join(',')})`;
  root.querySelector('.least').textContent = least;
  root.querySelector('.most').textContent = most;
  root.querySelector('.what').textContent = what;
}

function token({ label, shade, about }, place, state) {
  const chip = document.createElement('button');
  chip.type = 'button';
  chip.textContent = label;
  chip.title = about;
  chip.setAttribute('role', 'option');
  chip.setAttribute('aria-label', about ? `${label}: ${about}` : label);
  if (shade === null) {
    chip.disabled = true;
    return chip;
  }
  const colour = state.colours[Math.round(shade * (state.colours.length - 1))];
  chip.style.background = css(colour);
  chip.style.color = inkOn(colour);
  chip.onclick = () => { mark(state, place); state.send('chosen', place); };
  return chip;
}

function mark(state, chosen) {
  state.chips.forEach((chip, place) => chip.setAttribute('aria-selected', String(place === chosen)));
}

export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.querySelector('.text').setAttribute('aria-label', data.what);
  const state = { send: setTriggerValue, colours: data.colours };
  legend(parentElement, data);
  state.chips = data.tokens.map((each, place) => token(each, place, state));
  parentElement.querySelector('.text').replaceChildren(...state.chips);
  mark(state, data.chosen);
}
