// Suggestions under the search box: a combobox with a listbox, after the WAI-ARIA pattern.
// Whatever comes from the tables is set as text, never as markup.
"use strict";

const input = document.getElementById("q");
const list = document.getElementById("suggestions");
let asked = new AbortController();
let chosen = -1;

function close() {
  list.hidden = true;
  chosen = -1;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function choose(number) {
  const options = list.children;
  chosen = (number + options.length) % options.length;
  for (let i = 0; i < options.length; i += 1) {
    options[i].setAttribute("aria-selected", String(i === chosen));
  }
  options[chosen].scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", options[chosen].id);
}

function part(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function option(entity, number) {
  const item = part("li", "", "");
  item.id = `suggestion-${number}`;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  item.dataset.url = entity.url;
  item.append(part("bdi", "name", entity.name));
  if (entity.spelling) {
    const spelling = part("bdi", "spelling", entity.spelling);
    spelling.lang = entity.lang;
    item.append(" ", spelling);
  }
  item.append(" ", part("small", "", `${entity.label}, ${entity.n_mentions}`));
  return item;
}

async function suggest() {
  asked.abort();
  asked = new AbortController();
  const text = input.value.trim();
  if (!text) {
    close();
    return;
  }
  try {
    const signal = asked.signal;
    const answer = await fetch(`/suggest?q=${encodeURIComponent(text)}`, { signal });
    const entities = answer.ok ? await answer.json() : [];
    close();
    list.replaceChildren(...entities.map(option));
    if (entities.length && document.activeElement === input) {
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    }
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

input.addEventListener("input", suggest);
input.addEventListener("blur", close);
input.addEventListener("keydown", (event) => {
  if (event.isComposing || list.hidden) return;
  if (event.key === "ArrowDown") choose(chosen + 1);
  else if (event.key === "ArrowUp") choose(chosen < 0 ? -1 : chosen - 1);
  else if (event.key === "Escape") close();
  else if (event.key === "Enter" && chosen >= 0) {
    location.assign(list.children[chosen].dataset.url);
  } else return;
  event.preventDefault();
});
list.addEventListener("mousedown", (event) => {
  event.preventDefault(); // the box keeps the focus
  const item = event.target.closest("[role=option]");
  if (item) location.assign(item.dataset.url);
});
