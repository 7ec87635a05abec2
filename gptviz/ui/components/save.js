// Saves a plotly chart of the page as a picture, by the chart's own camera button: plotly itself is
// not to be reached from here.
function save({ chart, name }, format) {
  const drawn = document.querySelector(`.st-key-${chart} .js-plotly-plot`);
  if (!drawn) return;
  Object.assign(drawn._context.toImageButtonOptions, { format, filename: name, scale: 2 });
  drawn.querySelector('.modebar-btn[data-title^="Download"]').click();
}

export default function ({ data, parentElement }) {
  for (const button of parentElement.querySelectorAll('button')) {
    button.title = `save this picture as ${button.textContent}`;
    button.onclick = () => save(data, button.dataset.format);
  }
}
