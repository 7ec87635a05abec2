// Draws the figures: the data of each stands in the document, right after its place.
for (const place of document.querySelectorAll('.figure')) {
  const { data, layout } = JSON.parse(place.nextElementSibling.textContent);
  Plotly.newPlot(place, data, layout, { displaylogo: false, responsive: true });
}
