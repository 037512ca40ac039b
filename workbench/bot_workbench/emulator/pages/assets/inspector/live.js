// The live connection: what the inspector knows of the bot's turns, and whether it is up to date.

import { useEffect, useReducer, useRef, useState } from "/assets/libraries/htm.js";

import { oneAtATime } from "../inspector_models/one_at_a_time.js";
import { EMPTY, received } from "../inspector_models/turns.js";
import { pauseBefore } from "../shared/backoff.js";
import { searchTurns, services, turnDetails } from "./api.js";

const SEARCH_DELAY_MS = 200;
const REFRESH_DELAY_MS = 150;

/** A WebSocket that is opened again whenever it is lost, until it is closed. */
class LiveConnection {
  constructor(path, onMessage, onState) {
    this.path = path;
    this.onMessage = onMessage;
    this.onState = onState;
    this.lost = 0;
    this.retry = () => this.open();
    window.addEventListener("online", this.retry);
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    if (this.closed || this.socket?.readyState <= WebSocket.OPEN) return;
    this.socket = new WebSocket(`ws://${window.location.host}${this.path}`);
    this.socket.onmessage = (event) => {
      this.lost = 0;
      this.onState("live");
      this.onMessage(JSON.parse(event.data));
    };
    this.socket.onclose = () => this.waitAndOpen();
  }

  waitAndOpen() {
    if (this.closed) return;
    this.onState("lost");
    this.lost += 1;
    this.timer = setTimeout(this.retry, pauseBefore(this.lost));
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.retry);
    this.socket.close();
  }
}

/** The turns, status and services; `connection` is "connecting", "live" or "lost". */
export function useLive() {
  const [state, dispatch] = useReducer(received, EMPTY);
  const [connection, setConnection] = useState("connecting");
  const live = useRef(null);
  const sent = useRef(0);
  useEffect(() => {
    const onMessage = (message) => {
      if (message.services) sent.current += 1;
      dispatch(message);
    };
    live.current = new LiveConnection("/api/inspector/live", onMessage, setConnection);
    return () => live.current.close();
  }, []);
  const refreshServices = async () => {
    const before = sent.current;
    try {
      const found = await services();
      // What has been sent meanwhile is newer than the answer.
      if (sent.current === before) dispatch({ type: "services", services: found });
    } catch {
      // The connection is lost: the next greeting has them.
    }
  };
  return { ...state, connection, retry: () => live.current.open(), refreshServices };
}

/**
 * Asks for the services again when turns change: their counters, and faults that were for some
 * requests only.
 */
export function useFreshServices(live, isWanted) {
  const newest = live.turns.at(-1);
  useEffect(() => {
    if (!isWanted || live.connection !== "live") return undefined;
    const timer = setTimeout(live.refreshServices, REFRESH_DELAY_MS);
    return () => clearTimeout(timer);
  }, [newest, isWanted, live.connection]);
}

/** Ids of the turns whose details contain a text, as the server finds them a moment later. */
export function useSearch(text, newest) {
  const [found, setFound] = useState(new Set());
  const wanted = text.trim();
  useEffect(() => {
    if (!wanted) {
      setFound(new Set());
      return undefined;
    }
    const stopped = new AbortController();
    const search = async () => {
      try {
        setFound(new Set((await searchTurns(wanted, stopped.signal)).turns));
      } catch {
        // Failed or superseded: the list still shows what its own texts match.
      }
    };
    const timer = setTimeout(search, SEARCH_DELAY_MS);
    return () => {
      clearTimeout(timer);
      stopped.abort();
    };
  }, [wanted, wanted && newest]);
  return found;
}

/**
 * The details of a turn: {details, problem}. They are fetched again when its row changes; until
 * then, the last ones are kept.
 *
 * @param summary the turn's row; undefined while it is unknown.
 */
export function useDetails(id, summary) {
  const [result, setResult] = useState({ id: null, details: null, problem: "" });
  const refresh = useRef(null);
  useEffect(() => {
    const stopped = new AbortController();
    const load = async () => {
      try {
        const details = await turnDetails(id, stopped.signal);
        if (!stopped.signal.aborted) setResult({ id, details, problem: "" });
      } catch (error) {
        if (stopped.signal.aborted) return;
        const problem = error.status === 404 ? "unknown" : String(error.message);
        setResult((last) => ({ id, details: last.id === id ? last.details : null, problem }));
      }
    };
    refresh.current = oneAtATime(load, REFRESH_DELAY_MS);
    return () => stopped.abort();
  }, [id]);
  useEffect(() => {
    refresh.current();
  }, [id, summary]);
  return result.id === id ? result : { id, details: null, problem: "" };
}
