// Properties that an Adaptive Card's parts must have. Source: Microsoft's schema of version 1.6,
// https://github.com/microsoft/AdaptiveCards/blob/main/schemas/1.6.0/adaptive-card.json. A renderer
// leaves out a part without one, or shows it empty, and mostly says nothing.

import { isObject } from "./values.js";

/** By the name of a type's definition in the schema; a type without any is here for its parts. */
const REQUIRED = {
  AdaptiveCard: [],
  ActionSet: ["actions"],
  AuthCardButton: ["type", "value"],
  Authentication: [],
  BackgroundImage: ["url"],
  CaptionSource: ["mimeType", "url", "label"],
  Column: [],
  ColumnSet: [],
  Container: ["items"],
  Fact: ["title", "value"],
  FactSet: ["facts"],
  Image: ["url"],
  ImageSet: ["images"],
  Media: ["sources"],
  MediaSource: ["url"],
  RichTextBlock: ["inlines"],
  Table: [],
  TableCell: ["items"],
  TableRow: [],
  TargetElement: ["elementId"],
  TextBlock: ["text"],
  TextRun: ["text"],
  TokenExchangeResource: ["id", "uri", "providerId"],
  "Action.OpenUrl": ["url"],
  "Action.ShowCard": [],
  "Action.ToggleVisibility": ["targetElements"],
  "Data.Query": ["dataset"],
  "Input.Choice": ["title", "value"],
  "Input.ChoiceSet": ["id"],
  "Input.Date": ["id"],
  "Input.Number": ["id"],
  "Input.Text": ["id"],
  "Input.Time": ["id"],
  "Input.Toggle": ["id", "title"],
};

/** The type of a property's parts, which do not have to name it. */
const TYPES = {
  authentication: "Authentication",
  backgroundImage: "BackgroundImage",
  buttons: "AuthCardButton",
  captionSources: "CaptionSource",
  card: "AdaptiveCard",
  cells: "TableCell",
  choices: "Input.Choice",
  "choices.data": "Data.Query",
  columns: "Column",
  facts: "Fact",
  images: "Image",
  rows: "TableRow",
  sources: "MediaSource",
  targetElements: "TargetElement",
  tokenExchangeResource: "TokenExchangeResource",
};

/** The properties whose parts must name their type. */
const TYPED = ["body", "items", "inlines", "actions", "selectAction", "inlineAction"];

/** No other property is read, such as an action's data. */
const PARTS = [...TYPED, ...Object.keys(TYPES)];

/**
 * What the cards in some JSON, such as a message or a response, lack: a line for each property.
 * Of a type that the table does not have, nothing but its fallback is read.
 */
export function missingProperties(value) {
  if (Array.isArray(value)) return value.flatMap(missingProperties);
  if (!isObject(value)) return [];
  if (value.type === "AdaptiveCard") return lacking(value, "card", "");
  return Object.values(value).flatMap(missingProperties);
}

function lacking(part, property, path) {
  if (Array.isArray(part))
    return part.flatMap((each, index) => lacking(each, property, `${path}[${index}]`));
  if (!isObject(part)) return [];
  const type = TYPES[property] ?? part.type;
  const known = Object.hasOwn(REQUIRED, type);
  const required = known ? REQUIRED[type] : ["type"];
  const missing = required.filter((name) => part[name] === undefined || part[name] === null);
  const place = type ? `${path} (${type})` : path;
  const under = (name) => (path ? `${path}.${name}` : name);
  return [
    ...missing.map((name) => `${place} has no "${name}", which Microsoft's schema requires.`),
    ...(known ? PARTS : []).flatMap((name) => lacking(part[name], name, under(name))),
    ...lacking(part.fallback, property, under("fallback")), // it stands in the part's place
  ];
}
