// Writes the link into the address; what Streamlit keeps there for itself (embed) stays. A sentence
// that is too long for the link stays in this tab, under its digest.
const name = digest => `gptviz sentence ${digest}`;

function stored(digest) {
  try {
    return sessionStorage.getItem(name(digest)) ?? '';
  } catch {
    return ''; // the person lets no page store anything
  }
}

function store(digest, text) {
  try {
    sessionStorage.setItem(name(digest), text);
  } catch {
    // full or forbidden: after a reload the page says that it lacks the sentence
  }
}

export default function ({ data, setTriggerValue }) {
  if (data.wanted) {
    setTriggerValue('found', stored(data.wanted));
    return;
  }
  if (data.digest) store(data.digest, data.text);
  const own = new URLSearchParams(location.search);
  const embed = new URLSearchParams([...own].filter(([key]) => key.startsWith('embed')));
  const query = [data.query, embed.toString()].filter(Boolean).join('&');
  history.replaceState(history.state, '', location.pathname + (query && '?' + query) + location.hash);
}
