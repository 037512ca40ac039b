// The faults of the local cloud's services, in words and as a form's values.

/** What a service does wrong, in a few words; "" if it runs and has no fault left. */
export function faultText(service) {
  if (!service.running) return "stopped";
  if (!isFaulty(service)) return "";
  const { faults } = service;
  const parts = [];
  if (faults.latency) parts.push(`${faults.latency} s late`);
  if (faults.silent) parts.push("never answers");
  if (faults.cut) parts.push("cuts connections");
  if (faults.status) parts.push(`answers ${faults.status}`);
  if (faults.retry_after !== undefined && faults.retry_after !== null) {
    parts.push(`Retry-After ${faults.retry_after}`);
  }
  if (faults.html) parts.push("with a web page");
  if (faults.endless) parts.push("with a body that never ends");
  else if (faults.body !== undefined) parts.push("with a body of its own");
  if (faults.handled) parts.push("after the request is carried out");
  if (faults.every > 1) parts.push(`every ${ordinal(faults.every)} request`);
  if (faults.path) parts.push(`only ${faults.path}`);
  if (faults.remaining !== undefined && faults.remaining !== null) {
    parts.push(`${faults.remaining} more`);
  }
  return parts.join(", ");
}

/** Whether a service has faults, or is stopped. A fault whose requests are used up is over. */
export function isFaulty(service) {
  const { faults, running } = service;
  const over = faults.remaining === 0 && !faults.latency;
  return !running || (Object.keys(faults).length > 0 && !over);
}

/** Whether a preset is what is on: its faults and no others. `remaining` counts down. */
export function isOn(preset, service) {
  const now = { ...service.faults };
  const wanted = { ...preset.faults };
  if ("remaining" in wanted && now.remaining > 0) now.remaining = wanted.remaining;
  const names = new Set([...Object.keys(now), ...Object.keys(wanted)]);
  return names.size > 0 && [...names].every((name) => now[name] === wanted[name]);
}

/** A form's texts as faults: empty ones are left out, numbers are numbers. */
export function faultsOf(form) {
  const faults = {};
  for (const name of ["latency", "status", "every", "remaining"]) {
    if (form[name] !== "" && form[name] !== undefined) faults[name] = Number(form[name]);
  }
  if (form.retry_after) {
    const seconds = Number(form.retry_after);
    faults.retry_after = Number.isNaN(seconds) ? form.retry_after : seconds;
  }
  for (const name of ["path", "body"]) if (form[name]) faults[name] = form[name];
  for (const name of ["silent", "cut", "handled", "html", "endless"]) {
    if (form[name]) faults[name] = true;
  }
  return faults;
}

function ordinal(number) {
  const ends = { 1: "st", 2: "nd", 3: "rd" };
  const teen = Math.floor((number % 100) / 10) === 1;
  return `${number}${teen ? "th" : (ends[number % 10] ?? "th")}`;
}
