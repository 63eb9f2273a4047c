/* The page's own script: reads the recording, lists its markers, searches, and drives the player. Times are milliseconds of the
 * recording unless a name says otherwise; the player's differ while pauses are skipped. */
"use strict";
(async () => {
  const PAUSE = 2000; /* longer ones are skipped when asked */
  const MARKS_MAX = 5000;
  const DOTS_MAX = 300;
  const PICTURE_MAX = 1 << 20;
  const NEAR = 50; /* the same moment */
  const SLICE = 30; /* of real time that a search takes at once */
  const SAME = 2000; /* markers nearer than this speak of the same */
  const LINE_HEIGHT = 1.25;
  const at = (id) => document.getElementById(id);
  const note = (text) => {
    at("note").textContent = text;
    at("note").hidden = text === "";
  };

  /* ---- reading ---- */

  function decodeChunks() {
    const chunks = [...document.querySelectorAll("script.recording")];
    return new ReadableStream({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk === undefined) return controller.close();
        const binary = atob(chunk.textContent.trim());
        const bytes = new Uint8Array(binary.length);
        for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
        chunk.remove();
        controller.enqueue(bytes);
      },
    });
  }

  async function readRecording() {
    const text = decodeChunks().pipeThrough(new DecompressionStream("gzip")).pipeThrough(new TextDecoderStream());
    const reader = text.getReader();
    const recording = { cols: 80, rows: 24, events: [] };
    let rest = "", header = true;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return recording;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        const parsed = JSON.parse(line);
        if (header) {
          recording.cols = parsed.width;
          recording.rows = parsed.height;
          header = false;
        } else {
          recording.events.push([parsed[0] * 1000, parsed[1], parsed[2]]);
        }
      }
    }
  }

  /* ---- markers ---- */

  const PHASES = {
    approval: ["approval", "asks for approval"],
    limited: ["limit", "reached a limit"],
    retrying: ["limit", "waits to try again"],
    completed: ["end", "completed"],
    failed: ["error", "failed"],
    timeout: ["error", "timed out"],
    cancelled: ["end", "cancelled"],
    killed: ["error", "killed"],
    lost: ["error", "lost"],
  };
  const WORKING = ["connecting", "thinking", "streaming", "tool"];
  const KINDS = { prompt: "prompt", approval: "approval", limit: "limit", error: "error", warning: "error", gap: "error" };

  /* What is worth a line in the list: [time, kind, text]. Of the phases these are where a turn begins, and the named ones,
   * unless a marker of that kind says more at about that time. */
  function listMarks(events) {
    const marks = [];
    const phases = new Set();
    let resting = true;
    const add = (mark) => phases.add(mark) && marks.push(mark);
    for (const [time, type, label] of events) {
      if (type !== "m") continue;
      const [, word, rest] = /^(?:([a-z]+): )?(.*)$/s.exec(label);
      if (word === "phase") {
        if (Object.hasOwn(PHASES, rest)) add([time, ...PHASES[rest]]);
        else if (resting && WORKING.includes(rest)) add([time, "prompt", "begins to work"]);
        if (rest !== "unknown") resting = rest === "idle" || rest === "initializing";
      } else {
        marks.push([time, Object.hasOwn(KINDS, word) ? KINDS[word] : "other", label]);
      }
    }
    const said = marks.filter((mark) => !phases.has(mark));
    const again = (mark) => said.some((other) => other[1] === mark[1] && Math.abs(other[0] - mark[0]) < SAME);
    return marks.filter((mark) => !phases.has(mark) || !again(mark)).slice(0, MARKS_MAX);
  }

  const two = (number) => String(number).padStart(2, "0");
  function clock(time) {
    const seconds = Math.floor(time / 1000), hours = Math.floor(seconds / 3600);
    const minutes = Math.floor(seconds / 60) % 60;
    return (hours > 0 ? hours + ":" + two(minutes) : minutes) + ":" + two(seconds % 60);
  }
  function length(time) {
    const seconds = Math.round(time / 1000);
    if (seconds < 60) return seconds + " s";
    const minutes = Math.floor(seconds / 60);
    return minutes < 60 ? minutes + " min " + (seconds % 60) + " s" : Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
  }

  /* ---- the player ---- */

  const about = JSON.parse(at("about").textContent);
  let recording, player, shift;
  let playing = false;

  /* How far the player's clock is behind the recording's, as steps [time, skipped before it]. */
  function skipped(events) {
    const steps = [[0, 0]];
    let before = 0, sum = 0;
    for (const [time] of events) {
      if (time - before > PAUSE) {
        sum += time - before - PAUSE;
        steps.push([time, sum]);
      }
      before = time;
    }
    return steps;
  }
  function lastStep(key, value) {
    let low = 0, high = shift.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (key(shift[middle]) <= value) low = middle;
      else high = middle - 1;
    }
    return shift[low];
  }
  const toPlayer = (time) => {
    const next = shift[shift.indexOf(lastStep((step) => step[0], time)) + 1];
    const shown = time - lastStep((step) => step[0], time)[1];
    return next === undefined ? shown : Math.min(shown, next[0] - next[1]);
  };
  const fromPlayer = (shown) => shown + lastStep((step) => step[0] - step[1], shown)[1];
  const now = () => fromPlayer(player.getCurrentTime() * 1000);

  /* What is shown before it plays: the screen half way, or as far as is quick. As text, for after a picture that the player
   * takes from the recording itself it leaves out what was printed up to there. */
  function picture(events) {
    const half = events[events.length - 1][0] / 2;
    let text = "";
    for (const [time, type, data] of events) {
      if (time > half || type === "r" || text.length > PICTURE_MAX) break;
      if (type === "o") text += data;
    }
    return text;
  }

  async function mount(time) {
    const limit = at("pauses").checked;
    const speed = Number(at("speed").value);
    const resume = playing;
    shift = limit ? skipped(recording.events) : [[0, 0]];
    if (player !== undefined) player.dispose();
    player = AsciinemaPlayer.create({ data: () => recording, parser: (whole) => ({ ...whole }) }, at("terminal"), {
      preload: true,
      poster: "data:text/plain," + picture(recording.events),
      fit: "width",
      controls: true,
      speed,
      idleTimeLimit: limit ? PAUSE / 1000 : undefined,
      terminalLineHeight: LINE_HEIGHT,
    });
    playing = false;
    const style = document.documentElement.style;
    style.setProperty("--cols", recording.cols);
    style.setProperty("--ratio", (recording.cols * 0.6) / (recording.rows * LINE_HEIGHT));
    player.addEventListener("play", () => (playing = true));
    player.addEventListener("pause", () => (playing = false));
    player.addEventListener("ended", () => (playing = false));
    if (time > 0) await player.seek(toPlayer(time) / 1000);
    if (resume) await player.play();
  }

  const target = () => {
    const match = /^#t=(\d{1,9}(?:\.\d*)?)$/.exec(location.hash);
    return match === null ? undefined : Number(match[1]) * 1000;
  };
  async function go(time) {
    at("terminal").classList.add("sought");
    history.replaceState(null, "", "#t=" + (time / 1000).toFixed(1).replace(/\.0$/, ""));
    await player.seek(toPlayer(time) / 1000);
    highlight(time);
  }

  /* ---- the list ---- */

  let marks = [];
  /* Scrolls the list, and never the page. */
  function reveal(button) {
    const list = at("marks"), top = button.offsetTop, bottom = top + button.offsetHeight;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
  }
  function highlight(time) {
    const buttons = at("marks").querySelectorAll("button");
    let current = -1;
    for (let i = 0; i < marks.length && marks[i][0] <= time + NEAR; i++) current = i;
    buttons.forEach((button, i) => {
      if (i !== current) return button.removeAttribute("aria-current");
      if (!button.hasAttribute("aria-current")) reveal(button);
      button.setAttribute("aria-current", "true");
    });
  }
  function showMarks() {
    for (const [time, kind, text] of marks) {
      const item = document.createElement("li");
      const button = document.createElement("button");
      const when = document.createElement("time");
      const what = document.createElement("span");
      item.className = kind;
      button.type = "button";
      when.textContent = clock(time);
      what.textContent = text;
      what.title = text;
      button.append(when, what);
      button.addEventListener("click", () => go(time));
      item.append(button);
      at("marks").firstElementChild.append(item);
    }
    at("marks").hidden = marks.length === 0;
    document.body.classList.toggle("alone", marks.length === 0);
    setInterval(() => playing && highlight(now()), 500);
  }

  /* ---- search ---- */

  const FORWARD = /\x1b\[\d*C/g;
  const MOVE = /\x1b\[[\d;]*[HfABEFd]/g;
  const ESCAPE = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|[\x00-\x08\x0b-\x1f\x7f]/g;
  const printed = (text) => text.replace(FORWARD, " ").replace(MOVE, "\n").replace(ESCAPE, "");
  let searching = 0;

  /* Goes to the next place (or the one before) where the text was printed. A word that is drawn in pieces is found too, if
   * nothing else is printed in between. */
  async function search(words, step) {
    const mine = ++searching;
    const fold = words === words.toLowerCase();
    const { events } = recording;
    const start = now();
    let tail = "", found, pause = performance.now() + SLICE;
    for (const [time, type, data] of events) {
      if (type !== "o") continue;
      if (step < 0 && time >= start - NEAR) break;
      const text = tail + (fold ? printed(data).toLowerCase() : printed(data));
      const hit = text.lastIndexOf(words);
      if (hit >= 0 && (step < 0 || time > start + NEAR)) {
        found = time;
        if (step > 0) break;
      }
      tail = words.length === 1 ? "" : text.slice(hit < 0 ? 0 : hit + words.length).slice(1 - words.length);
      if (performance.now() > pause) {
        await new Promise((resume) => setTimeout(resume));
        if (mine !== searching) return;
        pause = performance.now() + SLICE;
      }
    }
    at("found").textContent = found === undefined ? "nowhere " + (step > 0 ? "after" : "before") + " here" : "at " + clock(found);
    if (found !== undefined) await go(found);
  }

  /* ---- start ---- */

  try {
    if (typeof DecompressionStream === "undefined") throw new Error("this browser is too old: it has no DecompressionStream");
    recording = await readRecording();
    const { events } = recording;
    if (!events.some((event) => event[1] === "o")) {
      note("Nothing was printed in this recording.");
      document.documentElement.dataset.state = "empty";
      return;
    }
    marks = listMarks(events);
    /* On the player's own line those that are listed, without their text, unless they would be a crowd. */
    const dots = new Set(marks.length > DOTS_MAX ? [] : marks.map((mark) => mark[0]));
    const shown = events.filter(([time, type]) => type !== "m" || dots.has(time));
    recording.events = shown.map((event) => (event[1] === "m" ? [event[0], "m", ""] : event));
    at("duration").textContent = " · " + length(events[events.length - 1][0]);
    for (const when of document.querySelectorAll("header time"))
      when.textContent = new Date(when.dateTime).toLocaleString([], { dateStyle: "long", timeStyle: "short" });
    note(about.torn ? "The recording ends in the middle of a line: its end is missing." : "");
    at("main").hidden = false;
    showMarks();
    await mount(0);
    if (target() !== undefined) await go(target());
    addEventListener("hashchange", async () => {
      if (target() === undefined) return;
      await player.pause();
      await go(target());
    });
    for (const id of ["pauses", "speed"]) at(id).addEventListener("change", () => mount(now()));
    at("tools").addEventListener("submit", (event) => event.preventDefault());
    at("search").addEventListener("input", () => (at("found").textContent = ""));
    at("search").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.value !== "") search(event.target.value, event.shiftKey ? -1 : 1);
    });
    document.documentElement.dataset.state = "ready";
  } catch (error) {
    note("The recording cannot be played: " + error.message);
    document.documentElement.dataset.state = "failed";
  }
})();
