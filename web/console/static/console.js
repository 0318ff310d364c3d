// Asks again for the live part of a page while the page is visible, and shows times in the reader's own zone.
// Pages work without it.
"use strict";

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.title = time.textContent;
    time.textContent = at.toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  }
}

async function ask(part, state) {
  // A form with data-step is the next step of a group action; otherwise the part is only read.
  const step = part.querySelector("form[data-step]");
  const headers = { "X-Poll": "1" };
  if (!step && state.etag) headers["If-None-Match"] = state.etag;
  const answer = step
    ? await fetch(step.action, { method: "POST", headers, body: new URLSearchParams(new FormData(step)) })
    : await fetch(location.href, { headers, cache: "no-store" });
  if (answer.status === 401 || answer.status === 403) return location.reload();
  if (answer.status !== 200) return;
  const html = await answer.text();
  // Whoever is at a control of this part keeps it until they move on, unless a step has changed it.
  if (!step && part.contains(document.activeElement)) return;
  const focused = document.activeElement && document.activeElement.id;
  state.etag = answer.headers.get("ETag");
  part.innerHTML = html;
  localTimes(part);
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
}

for (const part of document.querySelectorAll("[data-poll]")) {
  const state = { etag: null };
  const wait = Number(part.dataset.poll) * 1000;
  const loop = async () => {
    try {
      if (!document.hidden) await ask(part, state);
    } catch {
      // The service is away for a moment; the next time says more.
    }
    setTimeout(loop, wait);
  };
  setTimeout(loop, wait);
}
localTimes(document);
