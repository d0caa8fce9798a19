import { finish } from "../base/steps.ts";
import type { Steps } from "../base/steps.ts";
import { readArguments } from "./arguments.ts";
import { directiveNames, findDirective, scopesOf } from "./directives.ts";
import { missingSemicolon } from "./parser.ts";
import { blockName, usageOf } from "./schema.ts";
import { shownName } from "./secret-words.ts";
import { endOfStatement } from "./semicolons.ts";
import { nearestName } from "./suggest.ts";
import { parseValue, quoted } from "./values.ts";
import type { Option } from "./arguments.ts";
import type { Token } from "./lexer.ts";
import type { KnownStreams } from "./known-streams.ts";
import type { Block, Statement } from "./parser.ts";
import type { Place, SourceText } from "./place.ts";
import type { StreamPlan } from "./plan.ts";
import type { ProblemList } from "./problem.ts";
import type { DirectiveSpec, Scope } from "./schema.ts";
import type { Value } from "./values.ts";

/**
 * One statement whose name and values were checked against its spec.
 *
 * `values` are the positional arguments in order. `place` is that of the name; `places` those of the values.
 */
export type Directive = {
  readonly spec: DirectiveSpec;
  readonly values: readonly Value[];
  readonly options: ReadonlyMap<string, Option>;
  readonly children: readonly Directive[];
  /** Nothing was left out of the block but what has no effect yet or is refused. */
  readonly isComplete: boolean;
  readonly place: Place;
  readonly places: readonly Place[];
  /** Of a stream whose text is known: what it says. Its block was not read. */
  readonly known?: StreamPlan;
};

/**
 * Checks the statements of one file, which stand at the top level, and gives those that work and are whole, in steps.
 *
 * What is unknown, misplaced, refused, without effect or has bad values goes to `problems` and is left out. Streams of
 * `streams` are not read again.
 */
export function* directiveSteps(
  statements: readonly Statement[],
  problems: ProblemList,
  streams: KnownStreams,
): Steps<Directive[]> {
  const reading = { statements, scope: "server", mayEndEarly: false, problems, streams } as const;
  return (yield* scopeSteps(reading)).directives;
}

type ScopeReading = {
  readonly statements: readonly Statement[];
  readonly scope: Scope;
  /** The block is not closed: a directive of the top level ends it. */
  readonly mayEndEarly: boolean;
  readonly problems: ProblemList;
  /** At the top level. */
  readonly streams?: KnownStreams;
};

/** `left` are the statements that seem to stand after the block, whose `}` is missing. */
type ScopeResult = { directives: Directive[]; isComplete: boolean; left: readonly Statement[] };

function* scopeSteps(reading: ScopeReading): Steps<ScopeResult> {
  const { scope, problems, streams } = reading;
  const directives: Directive[] = [];
  let isComplete = true;
  const waiting = reading.statements.toReversed();
  for (let statement = waiting.pop(); statement !== undefined; statement = waiting.pop()) {
    if (reading.mayEndEarly && belongsAbove(statement, scope)) {
      return { directives, isComplete, left: [statement, ...waiting.toReversed()] };
    }
    if (streams !== undefined) {
      yield;
      const known = streams.find(statement);
      if (known !== undefined) {
        const directive = knownStream(statement, known);
        directives.push(directive);
        streams.read(statement, directive);
        continue;
      }
    }
    const foundBefore = problems.count;
    for (const { part, spec } of splitStatement(statement, scope, problems)) {
      const read = spec === undefined ? undefined : readDirective(part, spec, problems);
      if (read?.directive !== undefined) directives.push(read.directive);
      isComplete &&= read?.isComplete === true;
      for (const left of read?.left.toReversed() ?? []) waiting.push(left);
    }
    if (problems.count === foundBefore) streams?.read(statement, directives.at(-1));
  }
  return { directives, isComplete, left: [] };
}

const NO_OPTIONS: ReadonlyMap<string, Option> = new Map();

function knownStream({ source, words }: Statement, known: StreamPlan): Directive {
  const [word, name = word] = words;
  return {
    spec: findDirective("server", "stream")!,
    values: [{ kind: "text", text: known.name }],
    options: NO_OPTIONS,
    children: [],
    isComplete: true,
    place: source.place(word.start, word.end),
    places: [source.place(name.start, name.end)],
    known,
  };
}

/** Whether a statement in an unclosed block makes sense at the top level alone. */
function belongsAbove(statement: Statement, scope: Scope): boolean {
  const name = statement.words[0].text;
  const above = findDirective("server", name);
  if (scope === "server" || above === undefined) return false;
  const here = findDirective(scope, name);
  if (here === undefined) return true;
  if (statement.block === undefined || above.block === undefined) return false;
  return here.block === undefined || (!takesFirst(here, statement) && takesFirst(above, statement));
}

/** Whether what stands behind the name is what the directive begins with. */
function takesFirst(spec: DirectiveSpec, { words }: Statement): boolean {
  const argument = spec.arguments === "unchecked" ? undefined : spec.arguments[0];
  if (argument === undefined || words[1] === undefined) return argument?.optional === true;
  return "value" in parseValue(argument.type, words[1].text);
}

/**
 * Reports a directive that the scope does not have. When the one that was most likely meant has a block, its spec
 * is given, so that the block is checked too and what it defines is known.
 */
function unknownDirective(
  source: SourceText,
  word: Token,
  { scope, problems }: { scope: Scope; problems: ProblemList },
): DirectiveSpec | undefined {
  const place = source.place(word.start, word.end);
  const elsewhere = scopesOf(word.text);
  if (elsewhere.length > 0) {
    const message = `directive ${quoted(word.text)} does not belong in this place`;
    problems.error("CONFIG_WRONG_PLACE", place, message, {
      hint: `it stands ${elsewhere.map(inScope).join(" or ")}`,
    });
    return undefined;
  }
  const near = problems.isFull ? undefined : nearestName(word.text, directiveNames(scope));
  const hint = near === undefined ? undefined : `did you mean "${near}"?`;
  const message = `unknown directive ${quoted(shownName(word.text))} in this place`;
  problems.error("CONFIG_UNKNOWN_DIRECTIVE", place, message, { hint });
  const meant = near === undefined ? undefined : findDirective(scope, near);
  return meant?.status === "works" && meant.block !== undefined ? meant : undefined;
}

function inScope(scope: Scope): string {
  if (scope === "server") return "at the top level";
  if (scope === "stream" || scope === "template" || scope === "vod") return `in a ${scope}`;
  return `in the block of "${blockName(scope)}"`;
}

type Part = { readonly part: Statement; readonly spec: DirectiveSpec | undefined };

/** Cuts a statement in parts where a `;` is missing at the end of a line; the block belongs to the last. */
function splitStatement(statement: Statement, scope: Scope, problems: ProblemList): Part[] {
  const { source, words } = statement;
  const parts: Part[] = [];
  let from = 0;
  while (from < words.length) {
    const name = words[from]!;
    const spec = findDirective(scope, name.text) ?? unknownDirective(source, name, { scope, problems });
    const to = endOfStatement({ words, from, spec, scope });
    const own: [Token, ...Token[]] = [name, ...words.slice(from + 1, to)];
    const isLast = to === words.length;
    if (!isLast) missingSemicolon(source, own, problems);
    parts.push({
      part: isLast ? { ...statement, words: own } : { source, words: own, end: own.at(-1)!.end },
      spec,
    });
    from = to;
  }
  return parts;
}

type DirectiveResult = {
  readonly directive?: Directive;
  readonly isComplete: boolean;
  readonly left: readonly Statement[];
};

function readDirective(statement: Statement, spec: DirectiveSpec, problems: ProblemList): DirectiveResult {
  const [word] = statement.words;
  const place = statement.source.place(word.start, word.end);
  if (spec.status !== "works") {
    reportLater(spec, place, problems);
    return { isComplete: true, left: [] };
  }
  const { values, places, options, whole } = readArguments(statement, spec, problems);
  const { directives, isComplete, left } = readBlock(statement, spec, problems);
  // A block with a good name defines it even where something else is wrong: what refers to it is not wrong too.
  if (!whole && (spec.block === undefined || values.length === 0)) return { isComplete: false, left };
  return {
    directive: { spec, values, options, children: directives, isComplete, place, places },
    isComplete: whole,
    left,
  };
}

function reportLater(spec: DirectiveSpec, place: Place, problems: ProblemList): void {
  const name = quoted(spec.name);
  if (spec.status === "no-effect-yet") {
    problems.warning("CONFIG_NO_EFFECT_YET", place, `directive ${name} has no effect yet`);
  } else if (spec.status === "refused-until-it-works") {
    const message = `directive ${name} does not work yet, and is refused rather than ignored`;
    problems.error("CONFIG_REFUSED", place, message, { hint: spec.reason });
  }
}

function readBlock(statement: Statement, spec: DirectiveSpec, problems: ProblemList): ScopeResult {
  const { source, block, words } = statement;
  const expected = spec.block === "passed-over" ? undefined : spec.block;
  if (block === undefined) {
    const isMissing = expected !== undefined && expected.optional !== true;
    if (isMissing) missingBlock(source, words[0], spec, problems);
    return { directives: [], isComplete: !isMissing, left: [] };
  }
  if (expected === undefined) return unexpectedBlock(source, block, spec, problems);
  const { statements, closed } = block;
  return finish(scopeSteps({ statements, scope: expected.scope, mayEndEarly: !closed, problems }));
}

function missingBlock(source: SourceText, word: Token, spec: DirectiveSpec, problems: ProblemList): void {
  const place = source.place(word.start, word.end);
  problems.error("CONFIG_MISSING_BLOCK", place, `directive ${quoted(spec.name)} needs a block`, {
    hint: `write: ${usageOf(spec)}`,
  });
}

function unexpectedBlock(
  source: SourceText,
  block: Block,
  spec: DirectiveSpec,
  problems: ProblemList,
): ScopeResult {
  const place = source.place(block.open.start, block.open.end);
  problems.error("CONFIG_UNEXPECTED_BLOCK", place, `directive ${quoted(spec.name)} takes no block`, {
    hint: `write: ${usageOf(spec)}`,
  });
  return { directives: [], isComplete: false, left: [] };
}
