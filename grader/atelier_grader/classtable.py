# SPDX-License-Identifier: MIT
"""What staff look at after a class was graded: a table, figures of each test, plots, and what a change of tests changed.

table.csv and tests.csv follow from the results alone, so that they are the same however the class was graded; times are in
the plots only, and come from the journals.
"""

import base64
import csv
import io
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import classrun, report
from .classrun import ClassError
from .report import common, html
from .report.csv import table as csv_table
from .result import FAILED, INFRA, NOT_BUILT, NOT_RUN, PASSED, REFUSED, WAITS, Result, clean
from .score import flagged

ABSENT = "absent"  # on the roster, and has handed in nothing
NOT_GRADED = "not graded yet"


@dataclass(frozen=True)
class Roster:
    """A list of the class: CSV with a line of headings; the first column names the submission."""

    columns: tuple[str, ...] = ()
    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by the first column

    @property
    def names(self) -> list[str]:
        return list(self.rows)


def read_roster(path: Path) -> Roster:
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    except (OSError, UnicodeDecodeError) as error:
        raise ClassError(f"{path}: {getattr(error, 'strerror', None) or 'no UTF-8'}: a roster is a CSV file") from None
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise ClassError(f"{path}: is empty; it needs a line of headings, the first for the submission's name")
    found: dict[str, tuple[str, ...]] = {}
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(rows[0]):
            raise ClassError(f"{path}:{number}: has {len(row)} cells, and the headings are {len(rows[0])}")
        if row[0] in found:
            raise ClassError(f"{path}:{number}: {clean(row[0], 60)} is there twice")
        found[row[0]] = tuple(row)
    return Roster(tuple(rows[0]), found)


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    person: tuple[str, ...]  # of the roster, without the name
    status: str
    result: Result | None


def rows(submitted: Sequence[str], results: Mapping[str, Result], roster: Roster) -> list[Row]:
    """All that handed in, and all on the roster, by name."""
    blank = ("",) * max(len(roster.columns) - 1, 0)
    found = []
    for name in sorted({*submitted, *roster.names}):
        one = results.get(name) if name in submitted else None
        status = one.status if one else NOT_GRADED if name in submitted else ABSENT
        found.append(Row(name, roster.rows.get(name, (name, *blank))[1:], status, one))
    return found


@dataclass(frozen=True)
class Item:
    """A test, over the class. Of those that it was not run for, or that ended as INFRA, it says nothing."""

    name: str
    exercise: str
    visibility: str
    points: int
    ran: int
    passed: int
    waits: int
    infra: int
    discrimination: float | None  # correlation of passing it with the rest of the score; None if it tells nobody from anybody
    failures: tuple[tuple[str, int], ...]  # classes of failure, the most frequent first

    @property
    def rate(self) -> float | None:
        return self.passed / self.ran if self.ran else None


def items(results: Sequence[Result]) -> list[Item]:
    """The tests of a class, in the order of the lab."""
    order: dict[str, list] = {}
    for one in results:
        for test in one.tests if one.status not in (NOT_BUILT, REFUSED) else ():
            order.setdefault(test.name, []).append((test, one))
    found = []
    for name, pairs in order.items():
        ran = [(test, one) for test, one in pairs if test.status in (PASSED, FAILED, WAITS)]
        scored = [(test.status == PASSED, one.score - (test.score or 0)) for test, one in ran if one.score is not None]
        failures: dict[str, int] = {}
        for test, _ in ran:
            if test.status != PASSED:
                why = test.failure or common.WORDS[test.status]
                failures[why] = failures.get(why, 0) + 1
        test = pairs[0][0]
        found.append(Item(name, test.exercise, test.visibility, test.points, len(ran), sum(t.status == PASSED for t, _ in ran),
                          sum(t.status == WAITS for t, _ in ran), sum(t.status == INFRA for t, _ in pairs), _correlation(scored),
                          tuple(sorted(failures.items(), key=lambda pair: (-pair[1], pair[0])))))
    return found


def _correlation(pairs: list[tuple[bool, int]]) -> float | None:
    passed, rest = [float(p) for p, _ in pairs], [float(r) for _, r in pairs]
    if len(set(passed)) < 2 or len(set(rest)) < 2:
        return None
    return statistics.correlation(passed, rest)


def table_csv(table: list[Row], roster: Roster) -> str:
    """A row a person. INFRA, absent and not run are empty cells, never zeroes."""
    exercises, tests = _columns(table)
    columns = [*(roster.columns or ("submission",)), "status", "score", "points", *exercises, *tests, "digest"]
    lines = []
    for row in table:
        one = row.result
        own = {e.number: e.score for e in one.exercises if e.points} if one else {}
        own_tests = {t.name: t.score for t in one.tests} if one else {}
        lines.append([row.name, *row.person, row.status, *((one.score, one.points) if one else (None, None)),
                      *(own.get(number) for number in exercises), *(own_tests.get(name) for name in tests),
                      one.submission.digest if one else ""])
    return csv_table(columns, lines)


def _columns(table: list[Row]) -> tuple[list[str], list[str]]:
    results = [row.result for row in table if row.result]
    return (list(dict.fromkeys(e.number for one in results for e in one.exercises)),
            list(dict.fromkeys(t.name for one in results for t in one.tests)))


def items_csv(found: list[Item]) -> str:
    columns = ("test", "exercise", "visibility", "points", "ran", "passed", "rate", "discrimination", "waits", "infra", "failures")
    return csv_table(columns, [(i.name, i.exercise, i.visibility, i.points, i.ran, i.passed, _figure(i.rate), _figure(i.discrimination),
                                i.waits, i.infra, "; ".join(f"{name} {count}" for name, count in i.failures)) for i in found])


def _figure(value: float | None) -> str:
    return "" if value is None else f"{round(value, 2) + 0.0:.2f}"  # no -0.00


# ---- the page ----

STYLE = html.STYLE + """
body { max-width: none; } table { width: auto; } img { max-width: 100%; background: #fff; border-radius: .4rem; }
tbody tr:hover { background: var(--box); }
"""


def page(lab: str, table: list[Row], roster: Roster, found: list[Item], plots: list[tuple[str, Path]]) -> str:
    """The staff's page, with its plots in it."""
    exercises, tests = _columns(table)
    graded = [row.result.score for row in table if row.result and row.result.score is not None]
    counts = {status: sum(row.status == status for row in table) for status in dict.fromkeys(row.status for row in table)}
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    if graded:
        told += f"; median {statistics.median(graded):g}, mean {statistics.mean(graded):.1f}"
    body = ["<header>", f"<h1>{html.safe(lab)}: {len(table)} submissions</h1>", f"<p>{html.safe(told)}</p>", "</header>", "<main>"]
    broken = [row for row in table if row.status == INFRA]
    if broken:
        body += ["<h2>To be graded again</h2>", f'<p class="told infra">{html.safe(common.ABOUT_INFRA)} Run grade-class again.</p>',
                 *html.table("INFRA", [("Submission", False), ("Why", False)],
                             [[html.safe(r.name), html.safe(r.result.message)] for r in broken])]
    odd = [(row, test) for row in table if row.result for test in flagged(row.result)]
    if odd:
        body += ["<h2>To be looked at</h2>", *html.table(
            "No ordinary mistake", [("Submission", False), ("Test", False), ("Failure", False), ("Told", False)],
            [[html.safe(text) for text in (row.name, test.name, test.failure, test.message.split("\n")[0])] for row, test in odd])]
    columns = [*((name, False) for name in roster.columns or ("Submission",)), ("Status", False), ("Score", True),
               *((name, True) for name in exercises), *((name, False) for name in tests)]
    body += ["<h2>Scores</h2>", *html.table("A dash is no score: INFRA, or not run", columns,
                                            [_cells(row, exercises, tests) for row in table])]
    body += ["<h2>Tests</h2>", *html.table(
        "Rate: of those it ran for. Discrimination: correlation with the rest of the score; below 0.2 a test is worth a look",
        [("Test", False), ("Exercise", False), ("Kind", False), ("Points", True), ("Passed", True), ("Rate", True),
         ("Discrimination", True), ("Failures", False)],
        [[html.safe(i.name), html.safe(i.exercise), html.safe(i.visibility), str(i.points), f"{i.passed} of {i.ran}",
          _figure(i.rate) or "–", _figure(i.discrimination) or "–", html.safe(", ".join(f"{name} {count}" for name, count in i.failures))]
         for i in found])]
    for title, path in plots:
        data = base64.b64encode(path.read_bytes()).decode()
        body += [f"<h2>{html.safe(title)}</h2>", f'<p><img alt="{html.safe(title)}; the figures are in the tables above" '
                                            f'src="data:image/svg+xml;base64,{data}"></p>']
    return html.page(lab, STYLE, [*body, "</main>"])


def _cells(row: Row, exercises: list[str], tests: list[str]) -> list[str]:
    """A row's cells as markup."""
    start = [html.safe(row.name), *(html.safe(cell) for cell in row.person)]
    if row.result is None:
        return [*start, html.safe(row.status), "–", *("" for _ in (*exercises, *tests))]
    own = {e.number: e.score for e in row.result.exercises if e.points}
    by_name = {t.name: t for t in row.result.tests}
    return [*start, _word(row.status, row.status if row.status == INFRA else ""), _number(row.result.score),
            *(_number(own.get(number)) for number in exercises),
            *(_word(common.WORDS[by_name[name].status], html.KINDS[by_name[name].status]) if name in by_name else "" for name in tests)]


def _word(text: str, kind: str) -> str:
    return f'<span class="status {kind}">{html.safe(text)}</span>'


def _number(score: int | None) -> str:
    return "–" if score is None else str(score)


# ---- plots ----

def draw(folder: Path, table: list[Row], found: list[Item], seconds: Mapping[str, float]) -> list[tuple[str, Path]]:
    """Plots as SVG files; the same figures give the same bytes. Gives titles and paths."""
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    drawn = []

    def save(figure: "pyplot.Figure", name: str, title: str) -> None:
        with matplotlib.rc_context({"svg.hashsalt": "atelier"}):
            figure.savefig(folder / f"{name}.svg", format="svg", metadata={"Date": None}, bbox_inches="tight")
        pyplot.close(figure)
        drawn.append((title, folder / f"{name}.svg"))

    def bars(name: str, title: str, axis: str, values: list[tuple[str, float | None]], limits: tuple[float, float]) -> None:
        figure, axes = pyplot.subplots(figsize=(8, 0.8 + 0.28 * max(len(values), 1)))
        axes.barh([label for label, _ in values], [value or 0 for _, value in values], color="#3b6ea5")
        for place, (_, value) in enumerate(values):
            axes.text(max(value or 0, 0), place, f" {_figure(value) or 'none'}", va="center", fontsize=8)
        axes.invert_yaxis()
        axes.set_xlim(*limits)
        axes.set_xlabel(axis)
        axes.axvline(0, color="#444", linewidth=0.8)
        save(figure, name, title)

    def histogram(name: str, title: str, axis: str, values: list[float], bins: object) -> None:
        figure, axes = pyplot.subplots(figsize=(8, 3))
        axes.hist(values, bins=bins, color="#3b6ea5", edgecolor="white")
        axes.set_xlabel(axis)
        axes.set_ylabel("submissions")
        axes.yaxis.get_major_locator().set_params(integer=True)
        save(figure, name, title)

    scores = [row.result.score for row in table if row.result and row.result.score is not None]
    top = max((row.result.points for row in table if row.result), default=100) or 100
    histogram("scores", "Scores", "points", scores, [top * i / 20 for i in range(21)])
    labels = [(f"{i.exercise} {i.name}", i) for i in found]
    bars("pass-rate", "Pass rate of each test", "of those it ran for", [(label, i.rate) for label, i in labels], (0, 1.12))
    bars("discrimination", "Discrimination of each test", "correlation with the rest of the score",
         [(label, i.discrimination) for label, i in labels], (-1, 1.2))
    if seconds:
        histogram("time", "Time to grade a submission", "seconds", sorted(seconds.values()), 20)
    work = _instructions(table)
    if work:
        bars_of = [(name, value / 1e6) for name, value in work]
        bars("instructions", "Instructions of each test, median", "millions, in QEMU", bars_of, (0, 1.15 * max(v for _, v in bars_of) or 1))
    return drawn


def _instructions(table: list[Row]) -> list[tuple[str, float]]:
    counted: dict[str, list[int]] = {}
    for row in table:
        for test in row.result.tests if row.result else ():
            if test.instructions is not None:
                counted.setdefault(f"{test.exercise} {test.name}", []).append(test.instructions)
    return [(name, statistics.median(values)) for name, values in counted.items()]


def write(out: Path, lab: str, submitted: Sequence[str], roster: Roster, nightly: bool = False) -> list[Row]:
    """Each student's report, the table, the figures of the tests, the page and its plots, from what is in the folder. Gives the table."""
    table = rows(submitted, classrun.results(out), roster)
    for row in table:
        if row.result:
            text = report.FORMATS["html"](report.nightly(row.result) if nightly else row.result)
            path = out / "results" / row.name / "report.html"
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                classrun.write_whole(path, text)
    found = items([row.result for row in table if row.result])
    classrun.write_whole(out / "table.csv", table_csv(table, roster))
    classrun.write_whole(out / "tests.csv", items_csv(found))
    plots = draw(out / "plots", table, found, {name: taken for name, taken in classrun.seconds(out).items() if name in submitted})
    classrun.write_whole(out / "table.html", page(lab, table, roster, found, plots))
    return table


# ---- what a change of tests changed ----

def differences(old: Mapping[str, Result], new: Mapping[str, Result]) -> Iterator[str]:
    """A line for each score that changed and why, and last one for each test that had a part in it."""
    moved: dict[str, list[int]] = {}
    for name in sorted({*old, *new}):
        if name not in old or name not in new:
            yield f"{name}: only in the {'new' if name in new else 'old'} run"
            continue
        before, after = old[name], new[name]
        changes = list(_changes(before, after))
        if before.score != after.score or before.status != after.status or changes:
            files = "" if before.submission.digest == after.submission.digest else " (other files were handed in)"
            yield f"{name}: {_score(before)} -> {_score(after)}{files}"
            for test, text, step in changes:
                yield f"    {text}"
                moved.setdefault(test, []).append(step)
    for test, steps in moved.items():
        yield f"test {test}: changed for {len(steps)}, by {sum(steps):+d} points in all"


def _score(one: Result) -> str:
    return str(one.score) if one.score is not None else one.status


def _changes(before: Result, after: Result) -> Iterator[tuple[str, str, int]]:
    old, new = {t.name: t for t in before.tests}, {t.name: t for t in after.tests}
    for name in dict.fromkeys([*old, *new]):
        a, b = old.get(name), new.get(name)
        if a and b and (a.status, a.score, a.points, a.failure) == (b.status, b.score, b.points, b.failure):
            continue
        scores = [0 if t is None else t.score for t in (a, b)]
        step = 0 if None in scores else scores[1] - scores[0]  # INFRA is no zero
        yield name, f"{name}: {_told(a)} -> {_told(b)}", step


def _told(test: object) -> str:
    if test is None:
        return "no such test"
    if test.status in (INFRA, NOT_RUN):
        return common.WORDS[test.status]
    return f"{test.score} of {test.points}" + (f" ({common.what(test)})" if test.status != PASSED else "")
