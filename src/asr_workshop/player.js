"use strict";

// Only numbers come in; every text is in the page already, escaped.
const { duration, times } = JSON.parse(document.getElementById("times").textContent);
const [audio, play, clock, picture, line, panel] =
  ["audio", "play", "clock", "picture", "line", "words"].map((id) => document.getElementById(id));
const words = [...document.querySelectorAll(".word")];
const bars = [...document.querySelectorAll("#bars i")];
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let current = -1; // the word being said, or -1
let drawing = 0; // the next drawing asked for
let handsOff = 0; // until then, the reader scrolls
let byKeys = false; // whether the focus came to a word from the keyboard

// --- in step with the sound ---

const wordAt = (time) => times.findLastIndex(([start, end]) => start <= time && time < end);

function light(index) {
  if (index === current) return;
  words[current]?.removeAttribute("aria-current");
  bars[current]?.classList.remove("now");
  current = index;
  if (index < 0) return;
  words[index].setAttribute("aria-current", "true");
  bars[index].classList.add("now");
  if (!words.includes(document.activeElement)) makeStop(index);
  follow(words[index]);
}

function follow(word) {
  const [box, place] = [panel.getBoundingClientRect(), word.getBoundingClientRect()];
  if (performance.now() < handsOff || (place.top >= box.top && place.bottom <= box.bottom)) return;
  const top = panel.scrollTop + place.top - box.top - panel.clientHeight / 3;
  panel.scrollTo({ top, behavior: calm.matches ? "auto" : "smooth" });
}
const minutes = (time) => `${Math.floor(time / 60)}:${(time % 60).toFixed(1).padStart(4, "0")}`;

function draw() {
  const time = Math.min(audio.currentTime, duration);
  const shown = calm.matches && !audio.paused ? Math.floor(time) : time; // no motion, but steps
  line.style.left = `${(100 * shown) / duration}%`;
  clock.textContent = `${minutes(time)} / ${minutes(duration)}`;
  if (audio.error) clock.textContent = "This browser cannot play MP3.";
  play.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
  if (audio.paused || audio.seeking) { // else a screen reader would count along
    picture.setAttribute("aria-valuenow", time.toFixed(1));
    picture.setAttribute("aria-valuetext", `${time.toFixed(1)} of ${duration.toFixed(1)} seconds`);
  }
  light(wordAt(time + 0.005)); // browsers round the time a little
}

function keepDrawing() {
  cancelAnimationFrame(drawing);
  draw();
  if (!audio.paused) drawing = requestAnimationFrame(keepDrawing);
}

// --- mouse and keys ---

const start = () => audio.play().catch(draw); // when refused, the button still says "Play"
const toggle = () => (audio.paused ? start() : audio.pause());

function jump(time) {
  audio.currentTime = Math.max(0, Math.min(time, duration));
  draw();
}

const hear = (time) => { jump(time); start(); };
// Tab reaches one word, the current one; the arrows move on from there.
const makeStop = (stop) => words.forEach((word, i) => { word.tabIndex = i === stop ? 0 : -1; });

function moveFocus(key, index) {
  const forward = getComputedStyle(words[index]).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  const next = { Home: 0, End: words.length - 1 }[key] ?? index + (key === forward ? 1 : -1);
  words[next]?.focus();
}

const SECONDS =
  { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -Infinity, End: Infinity };

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  const index = words.indexOf(target);
  const sideways = key === "ArrowLeft" || key === "ArrowRight";
  if (event.ctrlKey || event.metaKey || event.altKey || (target === play && key === " ")) return;
  const again = key === " " && byKeys && audio.paused; // after a click, Space just goes on
  if (index >= 0 && (key === "Enter" || again)) hear(times[index][0]);
  else if (key === " ") toggle();
  else if (index >= 0 && (sideways || key === "Home" || key === "End")) moveFocus(key, index);
  else if (sideways || (target === picture && key in SECONDS)) jump(audio.currentTime + SECONDS[key]);
  else return;
  event.preventDefault();
});

// --- without this script there are the browser's own controls, and text ---

for (const event of ["play", "pause", "ended", "seeking", "seeked", "timeupdate", "error"]) {
  audio.addEventListener(event, keepDrawing);
}
play.addEventListener("click", toggle);
picture.addEventListener("click", (event) => {
  const box = picture.getBoundingClientRect();
  hear((duration * (event.clientX - box.left)) / box.width);
});
words.forEach((word, index) => {
  word.setAttribute("role", "button");
  word.addEventListener("focus", () => {
    makeStop(index);
    byKeys = word.matches(":focus-visible");
  });
  word.addEventListener("click", () => {
    if (getSelection().isCollapsed) hear(times[index][0]); // selected text is to be copied
  });
});
for (const event of ["wheel", "touchmove", "pointerdown"]) {
  panel?.addEventListener(event, () => { handsOff = performance.now() + 4000; }, { passive: true });
}
// A slider hides what is in it from a screen reader, so it says itself what the picture shows.
picture.setAttribute("aria-description", picture.querySelector("img").alt);
Object.assign(picture, { role: "slider", tabIndex: 0, ariaLabel: "Place in the sound",
  ariaValueMin: 0, ariaValueMax: duration.toFixed(1) });
audio.controls = false;
for (const element of document.querySelectorAll("[hidden]")) element.hidden = false;
makeStop(0);
draw();

// --- in a notebook: as high as the content, and dark when the notebook is ---

const [root, host] = [document.documentElement, window.frameElement];
if (host) {
  const dress = () => {
    const told = host.closest("[data-jp-theme-light]")?.dataset.jpThemeLight;
    const ink = getComputedStyle(host).color.match(/[\d.]+/g).slice(0, 3).map(Number);
    const lightInk = ink[0] + ink[1] + ink[2] > 3 * 128; // which is for dark paper
    root.dataset.theme = (told ? told === "false" : lightInk) ? "dark" : "light";
  };
  const fit = () => {
    const borders = host.offsetHeight - host.clientHeight;
    host.style.height = `${Math.ceil(document.body.getBoundingClientRect().height) + borders}px`;
  };
  root.dataset.framed = "";
  dress();
  for (const part of [host.ownerDocument.documentElement, host.ownerDocument.body]) {
    new MutationObserver(dress).observe(part, { attributes: true });
  }
  new ResizeObserver(fit).observe(document.body);
}
