// The code blocks of Markdown files, and what their comments claim.
//
//     bn.infer(x); // → 0.3876 -3.4495         what console.log prints of the statement's value, or by the statement
//     new BatchNorm(-1); // throws RangeError: features: expected a positive integer, got -1
//
// A claim follows its statement, on its line or on lines of its own. Brackets, commas and the names of arrays do not
// count, numbers are rounded to the decimals that are written, and … stands for whatever comes then. The statement is
// an expression, or declares one name; it stands at the top of the block.

import { readFileSync } from "node:fs";
import ts from "typescript";

export interface Block {
  /** `docs/data.md:12` */
  readonly at: string;
  readonly file: string;
  /** "js", "ts", "sh", "csv", …; "" where none is named. */
  readonly language: string;
  /** The file that the block is, as its first line says it: ```js worker.js */
  readonly name: string | undefined;
  readonly code: string;
  /** What its first line says that it needs: `// Needs onnxruntime-web: …` */
  readonly needs: string | undefined;
}

/** The fenced blocks of a file. */
export function blocksOf(root: URL, file: string): Block[] {
  const blocks: Block[] = [];
  const lines = readFileSync(new URL(file, root), "utf8").split("\n");
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\w*)(?: (\S+))?$/.exec(lines[i]!);
    if (fence === null) continue;
    const end = lines.indexOf("```", i + 1);
    if (end < 0) throw new Error(`${file}:${i + 1}: expected an end of the block, got none`);
    const code = `${lines.slice(i + 1, end).join("\n")}\n`;
    const needs = /^(?:\/\/|#) Needs ([^\s:]+)/.exec(code)?.[1];
    blocks.push({ at: `${file}:${i + 1}`, file, language: fence[1]!, name: fence[2], code, needs });
    i = end;
  }
  return blocks;
}

/** What a comment says that a statement gives, and where. */
interface Claim {
  readonly statement: ts.Statement;
  readonly throws: boolean;
  readonly expected: string;
}

const CLAIM = /^\/\/ (→|throws) (.+)$/;

function claimsOf(source: ts.SourceFile): Claim[] {
  const { text } = source;
  const claims: Claim[] = [];
  for (const statement of source.statements) {
    const trailing = ts.getTrailingCommentRanges(text, statement.end) ?? [];
    const next = source.statements[source.statements.indexOf(statement) + 1] ?? source.endOfFileToken;
    const leading = ts.getLeadingCommentRanges(text, next.pos) ?? [];
    const lines = [...trailing, ...leading].map(({ pos, end }) => text.slice(pos, end));
    const first = lines.findIndex((line) => CLAIM.test(line));
    if (first < 0) continue;
    const [, kind, said] = CLAIM.exec(lines[first]!)!;
    // Two spaces and more continue a claim.
    const after = lines.slice(first + 1);
    const end = after.findIndex((line) => !/^\/\/ {2,}\S/.test(line));
    const rest = (end < 0 ? after : after.slice(0, end)).map((line) => line.slice(2));
    claims.push({ statement, throws: kind === "throws", expected: [said, ...rest].join(" ") });
  }
  const all = text.match(/\/\/ (→|throws [A-Z]\w*Error)/g)?.length ?? 0;
  if (all !== claims.length) {
    throw new Error(`expected every claim behind a statement of the block, got ${claims.length} of ${all}`);
  }
  return claims;
}

/** A line of a file descriptor of its own for each claim: its number and what console.log would have printed. */
const PRELUDE =
  'import { writeSync as __write } from "node:fs"; import { format as __format } from "node:util";' +
  'const __claim = (i, ...said) => { __write(3, JSON.stringify([i, __format(...said)]) + "\\n"); return said[0]; };';

/** A program that reports its claims to file descriptor 3, and what they are expected to be. */
export function instrumented({ code, language }: Block): { program: string; expected: string[] } {
  const source = ts.createSourceFile(`block.${language}`, code, ts.ScriptTarget.ES2022, true);
  const claims = claimsOf(source);
  let program = code;
  for (const [i, { statement, throws }] of [...claims.entries()].reverse()) {
    const from = statement.getStart(source);
    const replaced = reporting(statement.getText(source), statement, i, throws);
    program = program.slice(0, from) + replaced + program.slice(statement.end);
  }
  const { outputText } = ts.transpileModule(`${PRELUDE}${program}`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  return { program: outputText, expected: claims.map(({ expected }) => expected) };
}

function reporting(text: string, statement: ts.Statement, i: number, throws: boolean): string {
  if (ts.isVariableStatement(statement) && !throws) {
    const [declaration, ...others] = statement.declarationList.declarations;
    if (declaration && others.length === 0 && ts.isIdentifier(declaration.name)) {
      return `${text} __claim(${i}, ${declaration.name.text});`;
    }
  }
  if (ts.isExpressionStatement(statement)) {
    const expression = statement.expression.getText();
    if (throws) {
      return `try { ${text} __claim(${i}, "nothing thrown"); } catch (error) { __claim(${i}, String(error)); }`;
    }
    const printed = expression.startsWith("console.log(");
    return printed
      ? `__claim(${i}, ${expression.slice("console.log(".length)};`
      : `__claim(${i}, ${expression});`;
  }
  throw new Error(`expected an expression, or the declaration of one name, got ${text}`);
}

/** What is compared of a text: its words. */
function words(text: string): string[] {
  return text
    .replace(/\w*Array\(\d+\)|[[\],]/g, " ")
    .trim()
    .split(/\s+/);
}

/** Whether a text is what a claim says of it. */
export function agrees(got: string, expected: string): boolean {
  const said = words(expected);
  const found = words(got);
  const open = said.at(-1) === "…";
  if (open) said.pop();
  if (open ? found.length < said.length : found.length !== said.length) return false;
  return said.every((word, i) => word === found[i] || word === rounded(found[i]!, word));
}

/** A number, rounded as another is written. */
function rounded(word: string, like: string): string {
  const decimals = /^-?\d+(?:\.(\d+))?$/.exec(like);
  if (decimals === null || !Number.isFinite(Number(word))) return word;
  const text = Number(word).toFixed(decimals[1]?.length ?? 0);
  return Number(text) === 0 ? text.replace("-", "") : text;
}
