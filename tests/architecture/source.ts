/**
 * The facts about a source file that the rules judge.
 *
 * They come from the syntax tree of `Deno.lint.runPlugin`, which `deno test` offers, so no parser package is needed.
 *
 * @module
 */

import { partitionPoint } from "../../lib/base/search.ts";

/** Every name that a module exports. */
export const EVERYTHING = "*";

/** A reference to another module: an import, a re-export, `import()` or `import("…").Type`. */
export interface Import {
  line: number;
  specifier: string;
  /** Path from the project's root; `null` unless the specifier is relative. */
  target: string | null;
  /** Imported names, or {@linkcode EVERYTHING}. */
  names: string[];
}

/** An exported declaration. */
export interface Export {
  line: number;
  name: string;
  /** Whether it is an interface or a type alias. */
  isType: boolean;
}

/** The extent of a function or class, without its doc comment. */
export interface Span {
  line: number;
  name: string;
  lines: number;
}

/** A function. */
export interface FunctionSpan extends Span {
  /** Whether it is an argument of a call, such as of `Deno.test`. */
  isArgument: boolean;
}

/** A source file. */
export interface Source {
  path: string;
  lines: number;
  imports: Import[];
  exports: Export[];
  functions: FunctionSpan[];
  classes: Span[];
  /** Lines that mention `Deno`. */
  runtime: number[];
  /** Occurrences of each identifier. */
  mentions: Map<string, number>;
}

type Node = Deno.lint.Node;
type Specifier =
  | Deno.lint.ImportSpecifier
  | Deno.lint.ImportDefaultSpecifier
  | Deno.lint.ImportNamespaceSpecifier
  | Deno.lint.ExportSpecifier;

/**
 * Parses a source file.
 *
 * @param path Its path from the project's root
 * @param text Its content
 * @returns The facts about it
 * @throws {SyntaxError} if it is not TypeScript
 */
export function parseSource(path: string, text: string): Source {
  const reader = new SourceReader(path, text);
  // A comment can suppress what a plugin reports, so this one reports nothing and takes notes.
  const rules = { notes: { create: () => reader.visitor } };
  Deno.lint.runPlugin({ name: "architecture", rules }, path, text);
  return reader.source;
}

class SourceReader {
  readonly source: Source;
  readonly #lineStarts: readonly number[];
  readonly #identifiers = new Set<number>();

  constructor(path: string, text: string) {
    this.#lineStarts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
    const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
    const lists = { imports: [], exports: [], functions: [], classes: [], runtime: [] };
    this.source = { path, lines, ...lists, mentions: new Map() };
  }

  readonly visitor: Deno.lint.LintVisitor = {
    ImportDeclaration: (node) => this.#import(node, node.source, node.specifiers.map(importedName)),
    ExportAllDeclaration: (node) => this.#import(node, node.source, [EVERYTHING]),
    ImportExpression: (node) => this.#import(node, node.source, [EVERYTHING]),
    TSImportType: (node) => this.#import(node, node.argument, [EVERYTHING]),
    ExportNamedDeclaration: (node) => {
      if (node.source !== null) this.#import(node, node.source, node.specifiers.map(importedName));
      else this.#export(node);
    },
    FunctionDeclaration: (node) => this.#function(node, node.id?.name),
    MethodDefinition: (node) => this.#function(node, nameOf(node.key)),
    FunctionExpression: (node) => {
      if (node.parent.type !== "MethodDefinition") this.#function(node, nameOf(node.parent));
    },
    ArrowFunctionExpression: (node) => this.#function(node, nameOf(node.parent)),
    ClassDeclaration: (node) => this.source.classes.push(this.#span(node, node.id?.name)),
    ClassExpression: (node) => this.source.classes.push(this.#span(node, node.id?.name)),
    Identifier: (node) => this.#mention(node),
  };

  #lineOf(offset: number): number {
    return partitionPoint(this.#lineStarts, (start) => start <= offset);
  }

  #span({ range }: Node, name = "(anonymous)"): Span {
    const line = this.#lineOf(range[0]);
    return { line, name, lines: this.#lineOf(range[1]) - line + 1 };
  }

  #function(node: Node, name: string | undefined): void {
    const isArgument = "parent" in node && node.parent.type === "CallExpression";
    this.source.functions.push({ ...this.#span(node, name), isArgument });
  }

  #import(node: Node, source: Node, names: string[]): void {
    const specifier = stringOf(source);
    const target = /^\.\.?\//.test(specifier) ? resolve(this.source.path, specifier) : null;
    this.source.imports.push({ line: this.#lineOf(node.range[0]), specifier, target, names });
  }

  #export({ range, declaration, specifiers }: Deno.lint.ExportNamedDeclaration): void {
    const isType = declaration?.type === "TSInterfaceDeclaration" || declaration?.type === "TSTypeAliasDeclaration";
    const names = declaration === null
      ? specifiers.map(({ local }) => nameOf(local) ?? "")
      : declaredNames(declaration);
    for (const name of names) this.source.exports.push({ line: this.#lineOf(range[0]), name, isType });
  }

  /** Counts an identifier once: a shorthand, as in `{ name }`, is visited twice. */
  #mention({ name, range }: Deno.lint.Identifier): void {
    if (this.#identifiers.has(range[0])) return;
    this.#identifiers.add(range[0]);
    if (name === "Deno") this.source.runtime.push(this.#lineOf(range[0]));
    this.source.mentions.set(name, (this.source.mentions.get(name) ?? 0) + 1);
  }
}

function importedName(specifier: Specifier): string {
  switch (specifier.type) {
    case "ImportSpecifier":
      return nameOf(specifier.imported) ?? EVERYTHING;
    case "ExportSpecifier":
      return nameOf(specifier.local) ?? EVERYTHING;
    case "ImportDefaultSpecifier":
      return "default";
    default:
      return EVERYTHING;
  }
}

/** The text of a specifier; empty if it is computed at run time. */
function stringOf(node: Node): string {
  if (node.type === "TSLiteralType") return stringOf(node.literal);
  return node.type === "Literal" && typeof node.value === "string" ? node.value : "";
}

/** The name that a node declares or assigns to. */
function nameOf(node: Node): string | undefined {
  switch (node.type) {
    case "Identifier":
      return node.name;
    case "PrivateIdentifier":
      return `#${node.name}`;
    case "VariableDeclarator":
      return nameOf(node.id);
    case "Property":
    case "PropertyDefinition":
      return nameOf(node.key);
    default:
      return undefined;
  }
}

function declaredNames(declaration: Node): string[] {
  if (declaration.type === "VariableDeclaration") return declaration.declarations.flatMap(({ id }) => patternNames(id));
  return "id" in declaration && declaration.id !== null ? [nameOf(declaration.id as Node) ?? ""] : [];
}

/** The names that a destructuring pattern declares. */
function patternNames(pattern: Node): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name];
    case "ObjectPattern":
      return pattern.properties.flatMap((property) => patternNames(property));
    case "ArrayPattern":
      return pattern.elements.flatMap((element) => element === null ? [] : patternNames(element));
    case "Property":
      return patternNames(pattern.value);
    case "AssignmentPattern":
      return patternNames(pattern.left);
    case "RestElement":
      return patternNames(pattern.argument);
    default:
      return [];
  }
}

function resolve(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}
