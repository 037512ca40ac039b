/** A store: a state that only a reducer changes, and listeners. */

export function createStore(reduce, initial) {
  let state = initial;
  const listeners = new Set();
  return {
    get state() {
      return state;
    },
    dispatch(action) {
      const next = reduce(state, action);
      if (next === state) return;
      state = next;
      for (const listener of listeners) listener(state);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Resolves to the first state, from the present one on, that a condition holds for. */
    async when(condition) {
      if (condition(state)) return state;
      return new Promise((resolve) => {
        const stop = this.subscribe((next) => {
          if (!condition(next)) return;
          stop();
          resolve(next);
        });
      });
    },
  };
}
