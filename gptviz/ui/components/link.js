// Writes the link into the address; what Streamlit keeps there for itself (embed) stays.
export default function ({ data }) {
  const entries = new URLSearchParams(data);
  for (const [key, value] of new URLSearchParams(location.search)) {
    if (key.startsWith("embed")) entries.append(key, value);
  }
  const query = entries.toString();
  history.replaceState(history.state, "", location.pathname + (query && "?" + query) + location.hash);
}
