/** The reactions of Teams: by their type on the wire. */
export const REACTIONS = {
  like: { symbol: "👍", label: "Like" },
  heart: { symbol: "❤️", label: "Heart" },
  laugh: { symbol: "😆", label: "Laugh" },
  surprised: { symbol: "😮", label: "Surprised" },
  sad: { symbol: "😢", label: "Sad" },
  angry: { symbol: "😠", label: "Angry" },
};
