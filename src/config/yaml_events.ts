import {
  constructFromEvents,
  CORE_SCHEMA,
  EVENT_ID,
  parseEvents,
  SCALAR_STYLE,
  type AliasEvent,
  type DocumentEvent,
  type MappingEvent,
  type ScalarEvent,
  type SequenceEvent,
} from "js-yaml";

/** js-yaml's events as the tree that they are of: each with what stands in it, a map's keys and values in turn. */
export interface YamlNode {
  readonly event: ScalarEvent | SequenceEvent | MappingEvent | AliasEvent;
  readonly children: readonly YamlNode[];
}

export interface YamlDocument {
  readonly event: DocumentEvent;
  /** Undefined where the document is empty. */
  readonly content: YamlNode | undefined;
}

/**
 * Parses YAML and resolves nothing.
 *
 * @param maxDepth levels of lists and maps
 * @throws YAMLException
 */
export function parseDocuments(text: string, maxDepth: number): YamlDocument[] {
  const documents: { event: DocumentEvent; children: YamlNode[] }[] = [];
  const open: { children: YamlNode[] }[] = [];
  for (const event of parseEvents(text, { maxDepth })) {
    if (event.type === EVENT_ID.POP) {
      open.pop();
    } else if (event.type === EVENT_ID.DOCUMENT) {
      documents.push({ event, children: [] });
      open.push(documents.at(-1)!);
    } else {
      const node = { event, children: [] };
      open.at(-1)!.children.push(node);
      if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) open.push(node);
    }
  }
  return documents.map(({ event, children }) => ({ event, content: children[0] }));
}

/**
 * What js-yaml makes of one event: a scalar's value, an empty list or map. Its tag is one of YAML 1.2's core schema.
 *
 * @param document that the event stands in, whose directives say what tags mean
 * @throws YAMLException for another tag, and for a value that its tag cannot have
 */
export function valueOf(
  event: ScalarEvent | SequenceEvent | MappingEvent,
  document: DocumentEvent,
  text: string,
): unknown {
  const end = { type: EVENT_ID.POP };
  const events = event.type === EVENT_ID.SCALAR ? [document, event, end] : [document, event, end, end];
  return constructFromEvents(events, { source: text, schema: CORE_SCHEMA })[0];
}

/** Where an event's text begins, at a quote or the sign of an alias; -1 for a scalar that is left out. */
export function startOf(event: YamlNode["event"]): number {
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart - 1;
  if (event.type !== EVENT_ID.SCALAR) return event.start;
  const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  return isQuoted ? event.valueStart - 1 : event.valueStart;
}
