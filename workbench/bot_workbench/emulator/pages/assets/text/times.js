/** How times are written: of a message, and of the day that it was sent on. */

const DAY_MS = 24 * 60 * 60 * 1000;

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate());
}

/** Days between two dates as people count them. */
export function daysBetween(earlier, later) {
  // Rounded, because a day may have 23 or 25 hours.
  return Math.round((startOfDay(later) - startOfDay(earlier)) / DAY_MS);
}

/** `10:42`, as the user's language writes it. */
export function timeText(date, locale) {
  return new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" }).format(date);
}

/** `Today`, `Yesterday`, `Monday`, `12 March` or `12 March 2024`. */
export function dayText(date, now, locale) {
  const days = daysBetween(date, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7)
    return new Intl.DateTimeFormat(locale, { weekday: "long" }).format(date);
  const year = date.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  return new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", ...year }).format(date);
}

/** What stands beside a message: the time, before today with the day. */
export function stampText(date, now, locale) {
  const time = timeText(date, locale);
  return daysBetween(date, now) === 0 ? time : `${dayText(date, now, locale)} ${time}`;
}

/** What a tooltip says. */
export function fullTimeText(date, locale) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" }).format(date);
}
