// What an editor shows: every public name, option, method, field and parameter of the declarations says what it is.

import { readFileSync } from "node:fs";
import ts from "typescript";
import { expect, test } from "vitest";

const path = "build/index.d.ts";
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** Every public name of a file of declarations, `BatchNorm.infer(options)`, and whether there is a comment for it. */
function documented(source: string): Map<string, boolean> {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.ES2022, true);
  const found = new Map<string, boolean>();

  const visit = (node: ts.Node, owner: string): void => {
    let name = owner;
    if (isNamed(node)) {
      if (isHidden(node)) return;
      const own = ts.isConstructorDeclaration(node) ? "constructor" : (node.name?.getText(file) ?? "");
      name = owner === "" ? own : `${owner}.${own}`;
      if (!isBase(node)) found.set(name, ts.getJSDocCommentsAndTags(node).length > 0);
    } else if (ts.isParameter(node) && owner !== "") {
      found.set(`${owner}(${node.name.getText(file)})`, ts.getJSDocParameterTags(node).some(says));
    }
    ts.forEachChild(node, (child) => visit(child, name));
  };
  for (const statement of file.statements) {
    if (isExported(statement) || isBase(statement)) visit(statement, "");
  }
  return found;
}

function isExported(node: ts.Node): boolean {
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

/** A class that is there for others to extend: users see its members, but not itself. */
function isBase(node: ts.Node): node is ts.ClassDeclaration {
  return ts.isClassDeclaration(node) && !isExported(node);
}

/** What users do not see: private and protected members, constructors that they cannot call, and our own symbols. */
function isHidden(node: Named): boolean {
  if (ts.isConstructorDeclaration(node)) return isBase(node.parent);
  if (node.name === undefined) return false;
  if (ts.isPrivateIdentifier(node.name)) return true;
  if (ts.isComputedPropertyName(node.name)) return !/^\[Symbol\./.test(node.name.getText());
  return (ts.getCombinedModifierFlags(node) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0;
}

type Named =
  | ts.ClassDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.FunctionDeclaration
  | ts.ClassElement
  | ts.TypeElement;

function isNamed(node: ts.Node): node is Named {
  return (
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isClassElement(node) ||
    ts.isTypeElement(node)
  );
}

function says({ comment }: ts.JSDocParameterTag): boolean {
  return (ts.getTextOfJSDocComment(comment) ?? "") !== "";
}

test("what has no comment is found", () => {
  const names = documented(`
    /** Says what it is. */
    export declare class Documented extends Base {
      /** Says what it is. */
      get a(): number;
      get b(): number;
      protected c(): void;
      [SYMBOL](): void;
    }
    declare abstract class Base {
      #private;
      constructor(only: string);
      /**
       * Says what it is.
       *
       * @param x what it is
       */
      d(x: number, y: { z: number }): void;
    }
    export type Bare = number;
    interface Inner {
      e: number;
    }`);
  expect([...names]).toEqual([
    ["Documented", true],
    ["Documented.a", true],
    ["Documented.b", false],
    ["Base.d", true],
    ["Base.d(x)", true],
    ["Base.d(y)", false],
    ["Base.d.z", false],
    ["Bare", false],
  ]);
});

test("every public name, option, method, field and parameter has a comment", () => {
  const names = documented(read(path));
  expect([...names.keys()]).toEqual(
    expect.arrayContaining([
      "BatchNorm.infer(options)",
      "OutOption.out",
      "Scaler.fit(x)",
      "Data",
      "init(options)",
    ]),
  );
  expect([...names].filter(([, has]) => !has).map(([name]) => name)).toEqual([]);
});

test("so has the entry for TensorFlow.js", () => {
  const names = documented(read("build/tfjs.d.ts"));
  expect([...names]).toEqual([
    ["register", true],
    ["register(backend)", true],
  ]);
});
