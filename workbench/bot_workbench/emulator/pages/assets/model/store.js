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
    /** Resolves to the first state, the present or a later one, for which the condition holds. */
    when(condition) {
      return new Promise((resolve) => {
        const take = (next) => {
          if (!condition(next)) return;
          listeners.delete(take);
          resolve(next);
        };
        listeners.add(take);
        take(state);
      });
    },
  };
}
