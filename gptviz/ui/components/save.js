// Saves a plotly chart of the page as a picture, by the chart's own camera button: plotly itself is
// not to be reached from here. A component's canvas saves itself when it hears of it.
function save({ chart, name, canvas }, format) {
  if (canvas) {
    document.dispatchEvent(new CustomEvent('gptviz-save', { detail: { chart, name } }));
    return;
  }
  const drawn = document.querySelector(`.st-key-${chart} .js-plotly-plot`);
  if (!drawn) return;
  Object.assign(drawn._context.toImageButtonOptions, { format, filename: name, scale: 2 });
  drawn.querySelector('.modebar-btn[data-title^="Download"]').click();
}

export default function ({ data, parentElement }) {
  for (const button of parentElement.querySelectorAll('button')) {
    button.hidden = data.canvas && button.dataset.format !== 'png';
    button.title = `save this picture as ${button.textContent}`;
    button.onclick = () => save(data, button.dataset.format);
  }
}
