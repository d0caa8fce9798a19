/** One element of an XML document. */
export type XmlElement = {
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** What stands in it in place of children. */
  readonly text?: string;
};

/** An attribute; one without a value is left out of the document. */
export type XmlAttribute = readonly [name: string, value: string | number | null];

/** Makes an element, its attributes in this order. */
export function xmlElement(
  name: string,
  attributes: Readonly<Record<string, string | number | null>>,
  children: readonly XmlElement[] = [],
): XmlElement {
  return { name, attributes: Object.entries(attributes), children };
}

/** Makes an element that has nothing but text in it. */
export function xmlText(name: string, text: string): XmlElement {
  return { name, attributes: [], children: [], text };
}

const SPECIAL = /[<>&"'\t\n\r]/g;

/**
 * Writes a document with this root, one element a line.
 * Spec: XML 1.0 sections 2.8 (prolog), 2.4 and 3.3.3 (what attribute values must not have as it is).
 */
export function writeXmlDocument(root: XmlElement): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  writeElement(root, "", lines);
  return `${lines.join("\n")}\n`;
}

function writeElement(
  { name, attributes, children, text }: XmlElement,
  indent: string,
  lines: string[],
): void {
  let tag = `${indent}<${name}`;
  for (const [key, value] of attributes) if (value !== null) tag += ` ${key}="${escapeXml(String(value))}"`;
  if (text !== undefined) {
    lines.push(`${tag}>${escapeXml(text)}</${name}>`);
    return;
  }
  if (children.length === 0) {
    lines.push(`${tag}/>`);
    return;
  }
  lines.push(`${tag}>`);
  for (const child of children) writeElement(child, `${indent}  `, lines);
  lines.push(`${indent}</${name}>`);
}

/** Text as it stands in an attribute or an element. Spec: XML 1.0 section 2.4. */
export function escapeXml(text: string): string {
  return text.replace(SPECIAL, (char) => `&#${char.charCodeAt(0)};`);
}
