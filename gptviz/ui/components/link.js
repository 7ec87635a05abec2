// Writes the link into the address; what Streamlit keeps there for itself (embed) stays.
// While a slider is dragged, an older link may come after the newer one: it is passed over.
let newest = 0;

export default function ({ data }) {
  if (data.since < newest) return;
  newest = data.since;
  const entries = new URLSearchParams(data.entries);
  for (const [key, value] of new URLSearchParams(location.search)) {
    if (key.startsWith("embed")) entries.append(key, value);
  }
  const query = entries.toString();
  history.replaceState(history.state, "", location.pathname + (query && "?" + query) + location.hash);
}
