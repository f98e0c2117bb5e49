// Search as you type in all pages: what has every word, headings first.
const [field, found] = [document.querySelector("#search"), document.querySelector("#found")];
const MOST = 12; // results shown
const AROUND = 60; // characters shown on each side of the first hit

function search(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const score = ({ heading, text }) => {
    const [above, below] = [heading.toLowerCase(), text.toLowerCase()];
    if (!words.every((word) => above.includes(word) || below.includes(word))) return 0;
    const hits = words.map((word) => 20 * above.includes(word) + below.split(word).length);
    return hits.reduce((sum, count) => sum + count, 0);
  };
  if (!words.length) return [];
  return searchIndex
    .map((section) => ({ ...section, word: words[0], score: score(section) }))
    .filter((section) => section.score)
    .sort((a, b) => b.score - a.score);
}

// An element with text in it, never markup: what is searched for may contain "<".
function element(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}

function result({ address, heading, title, text, word }) {
  const link = element("a", element("b", heading));
  if (heading !== title) link.append(element("small", title));
  link.href = address;
  const at = text.toLowerCase().indexOf(word);
  if (at >= 0) {
    const [start, end] = [Math.max(0, at - AROUND), at + word.length];
    const before = (start ? "…" : "") + text.slice(start, at);
    const after = text.slice(end, end + AROUND) + (end + AROUND < text.length ? "…" : "");
    link.append(element("span", before, element("mark", text.slice(at, end)), after));
  }
  return element("li", link);
}

field.addEventListener("input", () => {
  const sections = search(field.value);
  const shown = sections.length > MOST ? `; the best ${MOST}` : "";
  const count = `${sections.length} place${sections.length === 1 ? "" : "s"}${shown}:`;
  const list = element("ol", ...sections.slice(0, MOST).map(result));
  found.replaceChildren();
  if (sections.length) found.append(element("p", count), list);
  else if (field.value.trim()) found.append(element("p", "Nothing found."));
});
field.addEventListener("keydown", ({ key }) => {
  if (key === "Enter") found.querySelector("a")?.click();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target === field) return;
  event.preventDefault();
  field.focus();
});
found.addEventListener("click", () => { field.value = ""; found.replaceChildren(); });
