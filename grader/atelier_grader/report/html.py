# SPDX-License-Identifier: MIT
"""One page of HTML that stands alone: no script, nothing from elsewhere, light and dark by what the reader's system says.

Every text goes through `safe`, in element content and in quoted attributes alone, so that nothing a student chose becomes markup;
the policy in the head forbids scripts and requests even if something did. A status is a word, never only a colour.
"""

from html import escape

from ..result import FAILED, INFRA, NOT_RUN, PASSED, WAITS, Exercise, Result, Test
from . import common

KINDS = {PASSED: "passed", FAILED: "failed", WAITS: "waits", INFRA: "infra", NOT_RUN: "not-run"}  # classes of the style sheet

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1e21; --quiet: #5a6069; --line: #d4d8de; --box: #f4f6f8;
  --passed: #0b6b34; --failed: #b3261e; --waits: #7a5200; --infra: #6a3bb5; --not-run: #5a6069; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181c; --ink: #e8eaed; --quiet: #a9b0ba; --line: #3b4048; --box: #21242a;
  --passed: #6fd694; --failed: #ff9a92; --waits: #f0c060; --infra: #c9aaff; --not-run: #a9b0ba; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.5rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
.quiet { color: var(--quiet); } .score { font-size: 1.25rem; font-weight: 600; margin: .25rem 0; }
.told { border-left: .3rem solid var(--failed); background: var(--box); padding: .5rem 1rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.told.infra { border-color: var(--infra); color: var(--ink); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--quiet); padding-bottom: .25rem; }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.status { font-weight: 600; white-space: nowrap; }
.passed { color: var(--passed); } .failed { color: var(--failed); } .waits { color: var(--waits); }
.infra { color: var(--infra); } .not-run { color: var(--not-run); }
article { border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; margin: .75rem 0; }
article h3 { margin: 0 0 .4rem; font-size: 1rem; } article p { margin: .4rem 0; overflow-wrap: anywhere; }
article th[scope=row] { font-weight: 400; } article td, article th { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .4rem 0; } dd { margin: 0; overflow-wrap: anywhere; }
dt { color: var(--quiet); }
pre { background: var(--box); padding: .5rem .75rem; margin: .4rem 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .875rem; }
code { font-size: .9em; overflow-wrap: anywhere; }
@media print { body { max-width: none; } article { break-inside: avoid; } }
"""


def render(result: Result) -> str:
    result = common.student(result)
    title = f"Lab {result.lab.number}, {result.lab.name}"
    failed = [test for test in result.tests if test.status not in (PASSED, NOT_RUN)]
    body = [
        "<header>", f"<h1>{safe(title)}</h1>", f'<p class="quiet">{safe(result.lab.title)}</p>',
        f'<p class="score{" infra" if result.score is None else ""}">{safe(common.head(result))}</p>',
        *([f'<p class="told infra">{safe(common.ABOUT_INFRA)}</p>'] if result.score is None else []),
        *([f'<p class="told">{safe(result.message)}</p>'] if result.message else []), "</header>", "<main>",
        *(_exercises(result) if result.exercises else []),
        *(_tests(result) if result.tests else []),
        *(["<h2>What to look at</h2>", *(line for test in failed for line in _article(test))] if failed else []),
        "<h2>About this run</h2>", *_about(result), "</main>"]
    return page(f"{title}: {result.submission.name}", STYLE, body)


def page(title: str, style: str, body: list[str]) -> str:
    """A whole document. `body` is markup: its maker has escaped every text in it."""
    return "\n".join([
        "<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">', f"<title>{safe(title)}</title>",
        """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">""",
        '<meta name="viewport" content="width=device-width, initial-scale=1">', '<meta name="color-scheme" content="light dark">',
        f"<style>{style}</style>", "</head>", "<body>", *body, "</body>", "</html>", ""])


def table(caption: str, columns: list[tuple[str, bool]], rows: list[list[str]]) -> list[str]:
    """A table; `columns` are (name, is it a number?), `rows` cells as markup. The first cell of a row heads it."""
    def kind(number: bool) -> str:
        return ' class="number"' if number else ""

    lines = ['<div class="wide"><table>', f"<caption>{safe(caption)}</caption>", "<thead><tr>"]
    lines += [f'<th scope="col"{kind(number)}>{safe(name)}</th>' for name, number in columns]
    lines.append("</tr></thead><tbody>")
    for row in rows:
        cells = [f'<th scope="row">{row[0]}</th>']
        cells += [f"<td{kind(number)}>{cell}</td>" for (_, number), cell in zip(columns[1:], row[1:])]
        lines.append("<tr>" + "".join(cells) + "</tr>")
    return [*lines, "</tbody></table></div>"]


def safe(value: object) -> str:
    return escape(str(value), quote=True)


def _points(score: int | None, points: int) -> str:
    return f"{'–' if score is None else score} of {points}" if points else "not run"


def _exercises(result: Result) -> list[str]:
    def row(exercise: Exercise) -> list[str]:
        return [safe(exercise.number), safe(exercise.title), _points(exercise.score, exercise.points)]

    columns = [("Exercise", False), ("Title", False), ("Points", True)]
    rows = [row(exercise) for exercise in result.exercises]
    return ["<h2>Exercises</h2>", *table("Points by exercise; a dash is no score", columns, rows)]


def _status(test: Test) -> str:
    more = f" {safe(test.failure)}" if test.failure not in ("", common.WORDS[test.status]) else ""
    return f'<span class="status {KINDS[test.status]}">{safe(common.WORDS[test.status])}</span>{more}'


def _tests(result: Result) -> list[str]:
    columns = [("Test", False), ("Exercise", False), ("Where", False), ("Kind", False), ("Result", False), ("Points", True)]
    rows = [[safe(t.name), safe(t.exercise), safe(t.emulator), safe(t.visibility),
             _status(t), _points(t.score, t.points)] for t in result.tests]
    return ["<h2>Tests</h2>", *table("Every test; a dash is no score", columns, rows)]


def _article(test: Test) -> list[str]:
    """A test that failed, with what was expected and seen."""
    lines = ["<article>", f"<h3>{safe(test.name)}, exercise {safe(test.exercise)}: "
                          f'<span class="status {KINDS[test.status]}">{safe(common.what(test))}</span></h3>']
    if test.message:
        lines.append("<p>" + "<br>".join(safe(line) for line in test.message.split("\n")) + "</p>")
    if test.status == INFRA:
        lines.append(f"<p>{safe(common.ABOUT_INFRA)}</p>")
    if test.waits_for:
        lines.append(f"<p>It leans on {safe(', '.join(test.waits_for))}, which failed too: mend that first.</p>")
    if test.findings:
        lines += table("What is wrong", [("Observed", False), ("Expected", False), ("Seen", False)],
                       [[safe(f.what), f"<code>{safe(f.want)}</code>", f"<code>{safe(f.got)}</code>"] for f in test.findings])
    if test.more:
        lines.append(f'<p class="quiet">and {safe(test.more)} more</p>')
    if test.output:
        lines += ['<p class="quiet">The last lines on the serial line:</p>', f"<pre>{safe(chr(10).join(test.output))}</pre>"]
    if test.reproduce:
        lines += ['<p class="quiet">To see it again:</p>', f"<pre>{safe(test.reproduce)}</pre>"]
    return [*lines, "</article>"]


def _about(result: Result) -> list[str]:
    facts = [("Submission", result.submission.name), ("Digest", result.submission.digest), ("Seed", result.seed),
             ("Taken", ", ".join(result.submission.taken)), ("Sandbox", result.environment.sandbox),
             *((tool.name, tool.version) for tool in result.environment.tools),
             *(("Ignored", f"{file.name or 'and others'}: {file.why}") for file in result.submission.ignored),
             *(("Note", note) for note in result.notes)]
    return ["<dl>", *(f"<dt>{safe(name)}</dt><dd>{safe(value)}</dd>" for name, value in facts if value), "</dl>"]
