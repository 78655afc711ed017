# SPDX-License-Identifier: MIT
"""What can be read off the texts and the built site. Each rule yields its offences; its text is its name."""

import html.parser
import re
import subprocess
import tempfile
import tomllib
import urllib.parse
from collections.abc import Iterator

from pages import FENCE, ROOT, TEXTS, lab_texts, place, texts

SITE = ROOT / "build/handouts"
HEADINGS = [
    "The problem", "The idea", "The interface", "The exercises", "What to show a friend", "Questions", "How it is graded",
    "When it does not work", "What real systems do", "Challenge",
]  # fmt: skip
PARTS = ["Contract", "What is hard", "Invariant", "How it is tested"]
WORDS = (2200, 4600)  # of a lab's text
STAFF = ("guide",)  # not handed out
COMMAND = re.compile(r"^(?:[$#] |\(gdb\) )", re.MULTILINE)
A_LINE = 24  # characters that make a line of C worth comparing


def files_of(exercise: dict) -> dict[str, list[str]]:
    """File → functions of an exercise."""
    return exercise.get("files") or {exercise["file"]: exercise["functions"]}


def part(text: str, heading: str) -> str:
    """What stands below a heading, up to the next of its level or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,3}} |\Z)", text, re.MULTILINE | re.DOTALL)
    if found and found[1] == "##":
        found = re.search(rf"^(##) {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[2] if found else ""


def labs_have_the_same_headings() -> Iterator[str]:
    """each lab's text has the headings of lab 3's, in that order, and its question"""
    for path, text, lab in lab_texts():
        name = path.relative_to(ROOT)
        found = re.findall(r"^## (.+)$", text, re.MULTILINE)
        if found != HEADINGS:
            yield f"{name}: its headings are {', '.join(found)}; they should be {', '.join(HEADINGS)}"
        if f"\n> {lab['title']}\n" not in text:
            yield f"{name}: does not ask `> {lab['title']}`, as lab.toml does"
        if not re.search(rf"^# Lab {lab['number']}: ", text, re.MULTILINE):
            yield f"{name}: its title should begin with `# Lab {lab['number']}: `"
        for file in lab["editable"]:
            if f"`{file}`" not in text.partition("## The problem")[0]:
                yield f"{name}: does not say at its top that {file} may be changed"


def exercises_are_the_manifest_s() -> Iterator[str]:
    """each exercise of lab.toml has its heading, functions, files and four parts"""
    for path, text, lab in lab_texts():
        name = path.relative_to(ROOT)
        wanted = [f"{e['number']} {e['title']}" for e in lab["exercise"]]
        found = re.findall(r"^### (\d\.\d .+)$", text, re.MULTILINE)
        if found != wanted:
            yield f"{name}: its exercises are {found}; lab.toml has {wanted}"
        for exercise in lab["exercise"]:
            body = part(text, f"{exercise['number']} {exercise['title']}")
            for word in [f"`{f}`" for f in [*files_of(exercise), *sum(files_of(exercise).values(), [])]] + [f"**{p}.**" for p in PARTS]:
                if word not in body:
                    yield f"{name}: exercise {exercise['number']} does not have {word}"


def points_are_the_manifest_s() -> Iterator[str]:
    """the table of points is what lab.toml gives, and names the tests that are handed out"""
    for path, text, lab in lab_texts():
        name = path.relative_to(ROOT)
        for exercise in lab["exercise"]:
            tests = [t for t in lab["test"] if t["exercise"] == exercise["number"]]
            row = re.search(rf"^\| {re.escape(exercise['number'])} \|(.*)\|$", part(text, "How it is graded"), re.MULTILINE)
            if not row:
                yield f"{name}: `How it is graded` has no row for exercise {exercise['number']}"
                continue
            cells = [cell.strip() for cell in row[1].split("|")]
            public = [f"`{t['name']}` {t['points']}" for t in tests if t["visibility"] == "public"]
            rest = [str(sum(t["points"] for t in tests if t["visibility"] == kind)) for kind in ("hidden", "hostile")]
            rest = [points for points in rest if points != "0"]
            wanted = [", ".join(public), *rest, str(sum(t["points"] for t in tests))]
            if [cell for cell in cells if cell not in ("", "–")] != wanted:
                yield f"{name}: the points of exercise {exercise['number']} are {wanted}, and not {cells}"


def texts_are_of_a_size() -> Iterator[str]:
    """a lab's text is neither a note nor a book"""
    for path, text, _ in lab_texts():
        words = len(re.sub(r"```.*?```", "", text, flags=re.DOTALL).split())
        if not WORDS[0] <= words <= WORDS[1]:
            yield f"{path.relative_to(ROOT)}: has {words} words; {WORDS[0]} to {WORDS[1]} is the size of a lab's text"


def pictures_can_be_seen() -> Iterator[str]:
    """pictures have text for those who do not see them, and colours that follow the reader's"""
    style = (TEXTS / "pictures/style.css").read_text().partition("*/\n")[2]
    used = "\n".join(path.read_text() for path in texts())
    for path in sorted(TEXTS.glob("pictures/*.svg")):
        name, text = path.relative_to(ROOT), path.read_text()
        if f"<style>\n{style}</style>" not in text:
            yield f"{name}: its <style> is not that of pictures/style.css"
        if not re.search(r"<title>.{20,}</title>", text):
            yield f"{name}: has no <title> that says what it shows"
        if 'class="picture"' not in text or re.search(r"#[0-9a-f]{3}", re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)):
            yield f"{name}: has colours of its own: use the classes of pictures/style.css"
        if f"](pictures/{path.name}" not in used:
            yield f"{name}: is in no text"
    for path in texts():
        text = path.read_text()
        for found in re.finditer(r"!\[([^\]]*)\]\(", text):
            if len(found[1]) < 60:
                yield f"{place(path, text, found.start())}: a picture wants text that says what it shows to one who does not see it"


def links_go_back() -> Iterator[str]:
    """a text that is handed out leads to no later lab and to no page of staff's: they may not be there"""
    for path in texts():
        if path.stem in STAFF:
            continue
        text = path.read_text()
        for found in re.finditer(r"\]\((\w[\w-]*)\.md", text):
            later = found[1].startswith("lab") and not (path.stem.startswith("lab") and found[1] <= path.stem)
            if later or found[1] in STAFF:
                yield f"{place(path, text, found.start())}: leads to {found[1]}.md, which its readers may not have"


def what_is_named_exists() -> Iterator[str]:
    """files, make's targets and programs that the texts name exist"""
    makefiles = "\n".join(p.read_text() for p in [ROOT / "Makefile", *ROOT.glob("*/build.mk"), *ROOT.glob("*/*/build.mk")])
    targets = set(re.findall(r"^([\w.-]+)[^=\n]*:", makefiles, re.MULTILINE))
    targets |= set(" ".join(re.findall(r"^\.PHONY:(.*)$", makefiles, re.MULTILINE)).split())
    for path in texts():
        text = path.read_text()
        for found in re.finditer(r"(?:^\$ |`)make ([a-z][\w-]*)", text, re.MULTILINE):
            if found[1] not in targets:
                yield f"{place(path, text, found.start())}: there is no `make {found[1]}`"
        for found in re.finditer(r"`((?:src|guestos|labs|tools|grader|tests|handouts|doc)/[\w./-]+\w)(?: [^`]*)?`", text):
            if not (ROOT / found[1]).exists() and not re.search(r"labN|NAME", found[1]):
                yield f"{place(path, text, found.start())}: there is no {found[1]}"


def commands_are_run() -> Iterator[str]:
    """a command that stands in no transcript has the test beside it that runs it"""
    for path in texts():
        text = path.read_text()
        for block in FENCE.finditer(text):
            if block[1] == "console" or not COMMAND.search(block[3]):
                continue
            test = block[2].strip()
            if not test:
                yield f"{place(path, text, block.start())}: commands that nobody runs: make it a `console`, or name the test that does"
            elif not (ROOT / test).is_file():
                yield f"{place(path, text, block.start())}: there is no test {test}"


def solution_lines() -> dict[str, str]:
    """Line → exercise function, of all that students write; what given C says too tells nothing."""
    lines: dict[str, str] = {}
    labs = [tomllib.loads(file.read_text()) for file in sorted((ROOT / "labs").glob("*/lab.toml"))]
    editable = {ROOT / name for lab in labs for name in lab["editable"]}
    files = [path for path in ROOT.glob("src/**/*.[ch]") if path not in editable]
    given = {" ".join(line.split()) for path in files for line in path.read_text().splitlines()}
    for lab in labs:
        for exercise in lab["exercise"]:
            for name, functions in files_of(exercise).items():
                source = (ROOT / name).read_text() if (ROOT / name).exists() else ""
                for function in functions:
                    body = re.search(rf"^[\w \*]*\b{function}\([^;{{]*\)\n\{{\n(.*?)^\}}", source, re.MULTILINE | re.DOTALL)
                    for line in body[1].splitlines() if body and "exercise_missing" not in body[1] else []:
                        lines[" ".join(line.split())] = f"{function} ({exercise['number']})"
    return {line: where for line, where in lines.items() if line not in given}


def no_line_of_a_solution() -> Iterator[str]:
    """no text shows a line of an exercise function's body, nor does a debugger in one"""
    secret = {line: where for line, where in solution_lines().items() if len(line) >= A_LINE}
    for path in texts():
        text = path.read_text()
        for number, line in enumerate(text.splitlines(), 1):
            for piece in [line, *re.findall(r"`([^`]+)`", line)]:
                code = " ".join(re.sub(r"^[…\d\s]+", "", piece).split())  # GDB puts the line's number before it
                if code in secret:
                    yield f"{path.relative_to(ROOT)}:{number}: a line of {secret[code]}: {piece.strip()}"


class Seen(html.parser.HTMLParser):
    """Where a page of the site leads, what it loads, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.loads: list[str] = []
        self.anchors: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        given = dict(attrs)
        if tag == "a" and "href" in given:
            self.leads.append(given["href"])
        self.loads += [given[k] for k in ("src", "href", "data") if k in given and tag != "a"]
        if "id" in given:
            self.anchors.append(given["id"])


def quotations_are_verbatim() -> Iterator[str]:
    """C that is said to be a file's (```c src/x.c) is in that file"""
    for path in texts():
        text = path.read_text()
        for block in FENCE.finditer(text):
            file = block[2].strip()
            if block[1] == "c" and file and not ((ROOT / file).exists() and block[3] in (ROOT / file).read_text()):
                yield f"{place(path, text, block.start())}: this is not what {file} has"


def the_site_holds_together() -> Iterator[str]:
    """each link and anchor of the built site leads somewhere, and no page loads anything from outside"""
    pages = {path.name: Seen(path.read_text()) for path in SITE.glob("*.html")}
    if len(pages) != len(texts()):
        yield f"build/handouts: has {len(pages)} pages of {len(texts())}: run `make handouts`"
    for name, page in pages.items():
        for anchor in {a for a in page.anchors if page.anchors.count(a) > 1}:
            yield f"{name}: two things are called #{anchor}"
        for target in page.loads:
            if "://" in target or target.startswith("//") or not (SITE / target).exists():
                yield f"{name}: loads {target}, which is not beside it"
        for target in page.leads:
            file, _, anchor = target.partition("#")
            if target.startswith(("https://", "mailto:")):
                continue
            if (file or name) not in pages or (anchor and anchor not in pages[file or name].anchors):
                yield f"{name}: leads to {target}, which is not there"


def the_search_finds() -> Iterator[str]:
    """in a browser, a page's title typed into the search of another page leads to it"""
    for path in texts("lab*.md")[-2:]:
        title = re.search(r"^# (.+)$", path.read_text(), re.MULTILINE)[1]
        address = f"{(SITE / 'index.html').as_uri()}?q={urllib.parse.quote(title)}"
        words = ["chromium", "--headless=new", "--disable-gpu", "--no-sandbox", "--dump-dom", address]
        with tempfile.TemporaryDirectory() as profile:
            done = subprocess.run([*words, f"--user-data-dir={profile}"], capture_output=True, text=True, timeout=60, check=False)
        if f'<a href="{path.stem}.html#' not in done.stdout:
            yield f"build/handouts/index.html: its search does not find `{title}`"


def the_pdf_can_be_read_aloud() -> Iterator[str]:
    """the PDF is tagged, its pictures have their text, and its contents the numbers of pages"""
    file = SITE / "atelier.pdf"
    about, text, structure = (
        subprocess.run(words, capture_output=True, text=True, check=False).stdout
        for words in (["pdfinfo", file], ["pdftotext", "-layout", file, "-"], ["pdfinfo", "-struct", file])
    )
    pages = re.search(r"^Pages: +(\d+)$", about, re.MULTILINE)
    if not re.search(r"^Tagged: +yes$", about, re.MULTILINE) or not pages:
        yield "build/handouts/atelier.pdf: is not tagged, or not there: run `make handouts`"
        return
    pictures = sum(len(re.findall(r"^!\[", path.read_text(), re.MULTILINE)) for path in texts())
    if (found := len(re.findall(r"^ *Figure", structure, re.MULTILINE))) < pictures:
        yield f"build/handouts/atelier.pdf: has {found} figures; the texts have {pictures} pictures"
    for path in texts():
        title = re.search(r"^# (.+)$", path.read_text(), re.MULTILINE)[1]
        row = re.search(rf"^[\f ]*{re.escape(title)} +(\d+)$", text, re.MULTILINE)
        if not row or not 1 < int(row[1]) <= int(pages[1]):
            yield f"build/handouts/atelier.pdf: its contents do not say on which page `{title}` begins"


RULES = (
    labs_have_the_same_headings, exercises_are_the_manifest_s, points_are_the_manifest_s, texts_are_of_a_size, pictures_can_be_seen,
    links_go_back, what_is_named_exists, commands_are_run, no_line_of_a_solution, quotations_are_verbatim,
    the_site_holds_together, the_search_finds, the_pdf_can_be_read_aloud,
)  # fmt: skip
