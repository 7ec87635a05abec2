// The rows of a word's merges. Pieces reach the page through textContent only.
function cell(row, ...content) {
  const made = document.createElement('td');
  made.append(...content);
  row.append(made);
}

function pieceOf(text, isNew) {
  const made = document.createElement('span');
  made.className = isNew ? 'piece c0 new' : 'piece c0';
  made.textContent = text;
  return made;
}

export default function ({ data, parentElement }) {
  parentElement.querySelector('table').setAttribute('aria-label', data.spoken);
  parentElement.querySelector('tbody').replaceChildren(...data.steps.map((step, i) => {
    const row = document.createElement('tr');
    cell(row, String(i));
    cell(row, ...step.pieces.map((piece, j) => pieceOf(piece, j === step.place)));
    cell(row, ...(step.pair ? [pieceOf(step.pair[0]), ' + ', pieceOf(step.pair[1])] : ['its bytes']));
    cell(row, step.rank === null ? '' : step.rank.toLocaleString('en'));
    return row;
  }));
}
