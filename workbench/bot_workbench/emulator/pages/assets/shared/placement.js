/** Where a menu or a card goes: under its button, or where there is room. */

const GAP = 4;
const EDGE = 8;

/**
 * Show a popover beside its button, above everything else and clipped by nothing. One that is shown
 * is placed anew: it may have grown.
 */
export function showBeside(popover, button) {
  if (!popover.matches(":popover-open")) popover.showPopover();
  popover.style.left = popover.style.top = "";
  const room = { width: innerWidth, height: innerHeight };
  const at = placed(button.getBoundingClientRect(), popover.getBoundingClientRect(), room);
  popover.style.left = `${at.left}px`;
  popover.style.top = `${at.top}px`;
}

/**
 * @param {{left, right, top, bottom}} button in pixels of the viewport.
 * @param {{width, height}} menu
 * @param {{width, height}} room the viewport.
 * @returns {{left: number, top: number}}
 */
export function placed(button, menu, room) {
  const fitsBelow = button.bottom + GAP + menu.height <= room.height - EDGE;
  const above = button.top - GAP - menu.height;
  const top = fitsBelow || above < EDGE ? button.bottom + GAP : above;
  const lowest = Math.max(EDGE, room.height - EDGE - menu.height);
  const fitsRight = button.left + menu.width <= room.width - EDGE;
  const left = fitsRight ? button.left : button.right - menu.width;
  const rightmost = Math.max(EDGE, room.width - EDGE - menu.width);
  return { left: clamp(left, EDGE, rightmost), top: clamp(top, EDGE, lowest) };
}

function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}
