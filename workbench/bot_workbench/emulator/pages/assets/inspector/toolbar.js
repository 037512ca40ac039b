// Search, filters and what can be done to the whole list.

import { html, useMemo, useState } from "/assets/libraries/htm.js";

import { count } from "../inspector_models/formatting.js";
import { choices, isFiltering, NO_FILTER } from "../inspector_models/turn_filter.js";
import { Icon } from "./icons.js";

/** The toolbar above the list. */
export function Toolbar(props) {
  const { turns, shown, filter, onFilter, paused, onPause, onClear, searchRef } = props;
  const [isOpen, setOpen] = useState(false);
  const active = isFiltering({ ...filter, text: "" });
  return html`<div class="toolbar">
    <div class="toolbar__row">
      <label class="search">
        <span class="visually-hidden">Search turns and their details</span>
        <${Icon} name="search" />
        <input
          ref=${searchRef}
          class="field search__field"
          type="search"
          placeholder="Search turns and details"
          autocomplete="off"
          spellcheck=${false}
          value=${filter.text}
          onInput=${(event) => onFilter({ ...filter, text: event.target.value })}
        />
        <kbd class="search__key" aria-hidden="true">/</kbd>
      </label>
      <button
        class="icon-button"
        aria-expanded=${isOpen}
        aria-label=${active ? "Filters (some are on)" : "Filters"}
        title="Filters"
        data-active=${active}
        onClick=${() => setOpen(!isOpen)}
      >
        <${Icon} name="filter" />
      </button>
      <button
        class="icon-button"
        aria-pressed=${paused}
        aria-label="Pause"
        title=${paused ? "Resume" : "Pause"}
        onClick=${onPause}
      >
        <${Icon} name=${paused ? "play" : "pause"} />
      </button>
      <button class="icon-button" aria-label="Clear all turns" title="Clear" onClick=${onClear}>
        <${Icon} name="clear" />
      </button>
    </div>
    ${isOpen && html`<${Filters} ...${props} />`}
    <p class="toolbar__count" role="status">
      ${isFiltering(filter)
        ? html`${shown.length} of ${count(turns.length, "turn")}
            <button class="link" onClick=${() => onFilter(NO_FILTER)}>Show all</button>`
        : count(turns.length, "turn")}
      ${paused && html`<span class="pill" data-tone="warn">paused</span>`}
    </p>
  </div>`;
}

function Filters({ turns, filter, onFilter, conversation }) {
  const known = useMemo(() => choices(turns, conversation), [turns, conversation]);
  const set = (name) => (event) => onFilter({ ...filter, [name]: event.target.value });
  const pairs = (texts) => texts.map((each) => [each, each]);
  return html`<div class="filters">
    <${Choice} label="Type" of=${pairs(known.types)} value=${filter.type} onChange=${set("type")} />
    <${Choice}
      label="Conversation"
      of=${known.conversations}
      value=${filter.conversation}
      onChange=${set("conversation")}
    />
    <${Choice}
      label="Channel"
      of=${pairs(known.channels)}
      value=${filter.channel}
      onChange=${set("channel")}
    />
    <label class="check">
      <input
        type="checkbox"
        checked=${filter.failedOnly}
        onChange=${(event) => onFilter({ ...filter, failedOnly: event.target.checked })}
      />
      Failed only
    </label>
  </div>`;
}

function Choice({ label, of, value, onChange }) {
  // What was chosen stays selectable, even if its turns are gone.
  const options = value && !of.some(([id]) => id === value) ? [...of, [value, value]] : of;
  return html`<label class="choice">
    <span>${label}</span>
    <select class="field" value=${value} onChange=${onChange}>
      <option value="">All</option>
      ${options.map(
        ([id, text]) => html`<option value=${id} selected=${id === value}>${text}</option>`,
      )}
    </select>
  </label>`;
}
