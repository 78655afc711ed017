# SPDX-License-Identifier: MIT
"""Hypervisors with a known mistake, solutions/LAB/wrong/SLUG.patch, built as tools/kill-matrix builds them."""

import importlib.util
import sys
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from sessions import ROOT, Session, debug

HERE = "build/wrong"


@cache
def _kill_matrix() -> ModuleType:
    loader = SourceFileLoader("kill_matrix", str(ROOT / "tools/kill-matrix"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


@cache
def hypervisor(lab: int, slug: str) -> Path:
    matrix = _kill_matrix()
    manifest = next(m for m in matrix.manifest.load_all(ROOT) if m.number == lab)
    solution = matrix.read_solution(ROOT / f"solutions/{manifest.folder}/wrong/{slug}.patch", manifest)
    tree = ROOT / HERE / slug
    broken = matrix.build(solution, tree, [(test, "qemu") for test in manifest.tests if test.name in solution.named], False)
    if broken:
        raise AssertionError(f"{slug}: {broken[0]}")
    return tree / matrix.KERNEL


def session(lab: int, slug: str, test: str, *orders: str, seed: str = "1") -> Session:
    """A test with a wrong hypervisor, recorded, from its first instruction on."""
    return debug(lab, test, *orders, seed=seed, reverse=True, more=("--hypervisor", str(hypervisor(lab, slug))))
