// Runs in every page before the page's own code: notes when somebody acts, when the server is heard,
// and in which frame something is first there to be seen.
window.bench = (() => {
  const LONGEST = 120000; // ms
  const QUIET = 600; // ms without a running script: the rerun is really over
  let acted = 0, heard = 0;

  for (const kind of ['pointerdown', 'keydown']) {
    addEventListener(kind, event => { acted = event.timeStamp; }, true);
  }
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...all) {
      super(...all);
      this.addEventListener('message', () => { heard = performance.now(); });
    }
  };

  // A component keeps its elements in a shadow root somewhere below its key.
  function inside(key, selector) {
    for (const node of document.querySelectorAll(`.st-key-${key} *`)) {
      const found = node.shadowRoot?.querySelector(selector);
      if (found) return found;
    }
    return null;
  }
  const chart = key => document.querySelector(`.st-key-${key} .js-plotly-plot`);

  const there = {
    diagram: texts => {
      const drawn = inside('diagram', '.stage svg')?.textContent ?? '';
      return texts.every(text => drawn.includes(text));
    },
    totals: number => [...document.querySelectorAll('[data-testid="stMetricValue"]')]
      .some(value => value.textContent.trim() === number),
    treemap: number => [...chart('treemap')?.data?.[0].values ?? []].includes(number),
    map: labels => {
      const ticks = chart('exact')?.querySelectorAll('.xtick text') ?? [];
      return [...ticks].map(tick => tick.textContent).join() === labels.join();
    },
    overview: ([width, height]) => {
      const canvas = inside('all_heads', 'canvas');
      return canvas?.width === width && canvas.height === height
        && canvas.getContext('2d').getImageData(0, 0, 1, 1).data[3] === 255;
    },
  };

  // wanted: from the name of a condition to its argument. Gives, for each, the milliseconds from the
  // last act to the end of the frame that shows it, and to the server's last word before that.
  function watch(wanted) {
    const late = performance.now() + LONGEST, times = {};
    return new Promise((resolve, reject) => {
      function look() {
        for (const [name, argument] of Object.entries(wanted)) {
          if (name in times || !there[name](argument)) continue;
          times[name] = { server: heard - acted };
          setTimeout(() => { times[name].shown = performance.now() - acted; }); // after the paint
        }
        const all = Object.keys(wanted).every(name => times[name]?.shown !== undefined);
        if (all) resolve(times);
        else if (performance.now() > late) reject(new Error(`never seen: ${JSON.stringify(wanted)}`));
        else requestAnimationFrame(look);
      }
      requestAnimationFrame(look);
    });
  }

  let idle = 0;
  function settled() {
    const app = document.querySelector('[data-testid="stApp"]');
    const busy = app?.dataset.testScriptState !== 'notRunning'
      || document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]');
    if (busy || !idle) idle = performance.now();
    return !busy && performance.now() - Math.max(idle, heard, acted) > QUIET;
  }

  // The end of the last frame that changed something in the middle of the page.
  let changed = 0;
  const inMain = node => (node.closest ? node : node.parentElement)
    ?.closest('[data-testid="stMain"]');
  const observer = new MutationObserver(records => {
    if (!records.some(record => inMain(record.target))) return;
    requestAnimationFrame(() => setTimeout(() => { changed = performance.now(); }));
  });
  addEventListener('DOMContentLoaded', () => observer.observe(document.body, {
    subtree: true, childList: true, characterData: true, attributes: true,
  }));
  const restless = () => changed - acted;

  return { there, watch, settled, restless };
})();
