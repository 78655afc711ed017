# SPDX-License-Identifier: MIT
"""JUnit XML, as Jenkins and its heirs read it: an <error> is ours (INFRA), a <failure> the submission's."""

import re
from dataclasses import replace
from xml.sax.saxutils import escape, quoteattr

from ..result import INFRA, NOT_RUN, PASSED, Result, Test
from . import common

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def render(result: Result) -> str:
    result = common.student(result)
    name = f"lab{result.lab.number}-{result.lab.name}"
    cases = [case(name, test) for test in result.tests]
    statuses = [test.status for test in result.tests]
    alone = common.alone(result)
    if alone:
        kind = "error" if result.status == INFRA else "failure"
        cases = [_element("testcase", {"name": alone[0], "classname": name, "time": "0"}, _reason(kind, result.status, alone[1], []))]
        statuses = [INFRA if kind == "error" else "failed"]
    counts = {"tests": len(statuses), "failures": sum(s not in (INFRA, NOT_RUN, PASSED) for s in statuses),
              "errors": statuses.count(INFRA)}
    properties = {"lab": result.lab.number, "submission": result.submission.name, "digest": result.submission.digest,
                  "seed": result.seed, "status": result.status, "points": result.points}
    if result.score is not None:
        properties["score"] = result.score
    listed = _element("properties", {}, "".join(_element("property", {"name": k, "value": v}) for k, v in properties.items()))
    suite = _element("testsuite", {"name": name, **counts, "skipped": statuses.count(NOT_RUN), "time": "0"}, listed + "".join(cases))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + _element("testsuites", {"name": "atelier", **counts, "time": "0"}, suite)


def case(suite: str, test: Test) -> str:
    inside = ""
    if test.status == NOT_RUN:
        inside = _element("skipped", {"message": test.message})
    elif test.status != PASSED:
        lines = common.explain(replace(test, output=()))
        inside = _reason("error" if test.status == INFRA else "failure", test.failure or test.status, common.what(test), lines)
    if test.output:
        inside += f"<system-out>{_text(chr(10).join(test.output))}</system-out>\n"
    return _element("testcase", {"name": test.name, "classname": f"{suite}.{test.exercise}", "time": "0"}, inside)


def _reason(tag: str, kind: str, message: str, lines: list[str]) -> str:
    return f"<{tag} message={_quoted(message)} type={_quoted(kind)}>{_text(chr(10).join(lines))}</{tag}>\n"


def _element(tag: str, attributes: dict, inside: str = "") -> str:
    opened = "".join(f" {key}={_quoted(value)}" for key, value in attributes.items())
    return f"<{tag}{opened}>\n{inside}</{tag}>\n" if inside else f"<{tag}{opened}/>\n"


def _quoted(value: object) -> str:
    return quoteattr(_NO_XML.sub("?", str(value)))


def _text(value: str) -> str:
    return escape(_NO_XML.sub("?", value))
