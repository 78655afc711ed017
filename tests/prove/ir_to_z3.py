# SPDX-License-Identifier: MIT
"""Turns C functions without loops into z3 terms, by way of clang's intermediate code.

The function that is compiled is the shipped one, from its own file. Calls are followed into functions of the same file. Pointers
may go to structures of 32-bit words that the caller hands in: the words are terms before, and terms after.

Only what our functions need is understood; anything else ends in Unsupported, never in a wrong term.
"""

import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import z3

CLANG = ["clang", "-m32", "-O1", "-Xclang", "-disable-llvm-passes", "-fno-discard-value-names", "-S", "-emit-llvm",
         "-std=gnu11", "-femit-all-decls", "-DHOST_BUILD", "-Isrc"]
PASSES = "function(sroa,instcombine,simplifycfg)"


class Unsupported(Exception):
    """An instruction that this file does not know. One line."""


@dataclass(frozen=True)
class Pointer:
    """To word @offset of the object @name."""

    name: str
    offset: int = 0


Value = z3.BitVecRef | Pointer
Memory = dict[tuple[str, int], z3.BitVecRef]


@dataclass
class Function:
    name: str
    parameters: list[str]
    blocks: dict[str, list[str]]  # the first one is the entry


@dataclass
class Outcome:
    """What a call comes to: the value (None of a void function) and the words of memory after it."""

    value: z3.BitVecRef | None
    memory: Memory


@dataclass
class Module:
    functions: dict[str, Function] = field(default_factory=dict)

    def call(self, name: str, arguments: list[Value], memory: Memory | None = None) -> Outcome:
        """The terms of @name's result for these arguments."""
        if name not in self.functions:
            raise Unsupported(f"{name} is not defined in this file")
        return _Run(self, self.functions[name], arguments, dict(memory or {})).outcome()


def compile_c(source: Path, text: str | None = None) -> Module:
    """The functions of a C file or header; with @text, as if that stood in it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / source.with_suffix(".c").name
        file.write_text(source.read_text() if text is None else text)
        raw, ready = Path(folder) / "raw.ll", Path(folder) / "ready.ll"
        _run([*CLANG, f"-I{source.parent}", "-o", str(raw), str(file)])
        _run(["opt", "-S", f"-passes={PASSES}", str(raw), "-o", str(ready)])
        return parse(ready.read_text())


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Unsupported(f"{command[0]}: {done.stderr.strip().splitlines()[0] if done.stderr else 'failed'}")


def parse(code: str) -> Module:
    module = Module()
    for match in re.finditer(r"^define [^@\n]*@([\w.]+)\(([^\n]*?)\)[^()\n]*\{\n(.*?)\n\}", code, re.S | re.M):
        name, parameters, body = match.groups()
        names = re.findall(r"(%[\w.]+)(?:,|$)", parameters)
        module.functions[name] = Function(name, names, _blocks(body, len(names)))
    return module


def _blocks(body: str, parameters: int) -> dict[str, list[str]]:
    blocks: dict[str, list[str]] = {}
    current = "entry"
    joined = re.sub(r"\[\n(.*?)\n\s*\]", lambda m: "[" + m[1].replace("\n", " ") + " ]", body, flags=re.S)
    for line in joined.splitlines():
        line = line.split(";")[0].rstrip()
        if label := re.match(r"^([\w.]+):$", line):
            current = label[1]
        if current == "entry" and not blocks and not label and line.strip():
            blocks.setdefault(current, [])
        if label:
            blocks.setdefault(current, [])
        elif line.strip():
            blocks[current].append(line.strip())
    return blocks


def bit(condition: z3.BoolRef) -> z3.BitVecRef:
    return z3.If(condition, z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))


class _Run:
    """One call of one function, block by block in an order in which each comes after those that lead to it."""

    def __init__(self, module: Module, function: Function, arguments: list[Value], memory: Memory):
        self.module = module
        self.function = function
        self.env: dict[str, Value] = dict(zip(function.parameters, arguments, strict=True))
        self.reach: dict[str, z3.BoolRef] = {}
        self.memory: dict[str, Memory] = {}  # after each block
        self.edges: dict[tuple[str, str], z3.BoolRef] = {}
        self.start = memory
        self.returns: list[tuple[z3.BoolRef, z3.BitVecRef | None, Memory]] = []

    def outcome(self) -> Outcome:
        for block in self.order():
            self.run_block(block)
        if not self.returns:
            raise Unsupported(f"{self.function.name} never returns")
        _, value, memory = self.returns[-1]
        for condition, other, words in self.returns[:-1]:
            value = None if value is None else z3.If(condition, other, value)
            memory = merge(condition, words, memory)
        return Outcome(value, memory)

    def order(self) -> list[str]:
        done: list[str] = []
        open_: set[str] = set()

        def visit(block: str) -> None:
            if block in open_:
                raise Unsupported(f"{self.function.name} has a loop")
            if block in done:
                return
            open_.add(block)
            for target in re.findall(r"label %([\w.]+)", self.function.blocks[block][-1]):
                visit(target)
            open_.remove(block)
            done.append(block)

        visit(next(iter(self.function.blocks)))
        return done[::-1]

    def run_block(self, block: str) -> None:
        before = [edge for edge in self.edges if edge[1] == block]
        if before:
            self.reach[block] = z3.Or([self.edges[edge] for edge in before])
            memory = self.memory[before[0][0]]
            for edge in before[1:]:
                memory = merge(self.edges[edge], self.memory[edge[0]], memory)
        else:
            self.reach[block], memory = z3.BoolVal(True), self.start
        self.memory[block] = dict(memory)
        for line in self.function.blocks[block]:
            self.run_line(block, re.sub(r", !.*", "", line))

    def run_line(self, block: str, line: str) -> None:
        if assigned := re.match(r"(%[\w.]+) = (.*)", line):
            self.env[assigned[1]] = self.value(block, assigned[2])
        elif match := re.match(r"br label %([\w.]+)", line):
            self.edge(block, match[1], self.reach[block])
        elif match := re.match(r"br i1 (\S+), label %([\w.]+), label %([\w.]+)", line):
            taken = self.term(match[1], 1) == 1
            self.edge(block, match[2], z3.And(self.reach[block], taken))
            self.edge(block, match[3], z3.And(self.reach[block], z3.Not(taken)))
        elif match := re.match(r"switch i(\d+) (\S+), label %([\w.]+) \[(.*)\]", line):
            self.switch(block, *match.groups())
        elif match := re.match(r"ret i(\d+) (\S+)", line):
            self.returns.append((self.reach[block], self.term(match[2], int(match[1])), self.memory[block]))
        elif line == "ret void":
            self.returns.append((self.reach[block], None, self.memory[block]))
        elif match := re.match(r"store i32 (\S+), i32\* (%[\w.]+)", line):
            target = self.pointer(match[2])
            self.memory[block][target.name, target.offset] = self.term(match[1], 32)
        elif line.startswith("call void") and "@llvm." not in line:
            self.follow(block, line)
        elif not (line == "unreachable" or "@llvm.dbg" in line or "@llvm.lifetime" in line):
            raise Unsupported(f"{self.function.name}: {line}")

    def edge(self, source: str, target: str, condition: z3.BoolRef) -> None:
        known = self.edges.get((source, target))
        self.edges[source, target] = condition if known is None else z3.Or(known, condition)

    def switch(self, block: str, width: str, subject: str, otherwise: str, cases: str) -> None:
        value, none = self.term(subject, int(width)), self.reach[block]
        for number, target in re.findall(r"i\d+ (-?\d+), label %([\w.]+)", cases):
            hit = value == z3.BitVecVal(int(number), int(width))
            self.edge(block, target, z3.And(self.reach[block], hit))
            none = z3.And(none, z3.Not(hit))
        self.edge(block, otherwise, none)

    def term(self, text: str, width: int) -> z3.BitVecRef:
        if text in ("true", "false"):
            return z3.BitVecVal(int(text == "true"), 1)
        if text in ("undef", "poison"):
            return z3.FreshConst(z3.BitVecSort(width))
        value = self.env[text] if text.startswith("%") else z3.BitVecVal(int(text), width)
        if isinstance(value, Pointer):
            raise Unsupported(f"{self.function.name}: a pointer is used as a number")
        return value

    def pointer(self, text: str) -> Pointer:
        value = self.env.get(text)
        if not isinstance(value, Pointer):
            raise Unsupported(f"{self.function.name}: {text} is no pointer that was handed in")
        return value

    def follow(self, block: str, text: str) -> z3.BitVecRef | None:
        match = re.search(r"call [^@]*@([\w.]+)\((.*)\)", text)
        if not match:
            raise Unsupported(f"{self.function.name}: {text}")
        arguments: list[Value] = []
        for argument in filter(None, re.split(r", (?![^{]*\})", match[2])):
            name = argument.split()[-1]
            width = re.match(r"i(\d+)", argument)
            arguments.append(self.term(name, int(width[1])) if width else self.pointer(name))
        done = self.module.call(match[1], arguments, self.memory[block])
        self.memory[block] = done.memory
        return done.value

    def value(self, block: str, text: str) -> Value:
        if match := re.match(r"(\w+)((?: \w+)*) i(\d+) (\S+), (\S+)$", text):
            if match[1] == "icmp":
                return self.compare(match[2].strip(), int(match[3]), match[4], match[5])
            return self.arithmetic(match[1], int(match[3]), match[4], match[5])
        if match := re.match(r"select i1 (\S+), i(\d+) (\S+), i\d+ (\S+)", text):
            width = int(match[2])
            return z3.If(self.term(match[1], 1) == 1, self.term(match[3], width), self.term(match[4], width))
        if match := re.match(r"(zext|sext|trunc) i(\d+) (\S+) to i(\d+)", text):
            return self.resize(match[1], self.term(match[3], int(match[2])), int(match[4]))
        if match := re.match(r"phi i(\d+) (.*)", text):
            return self.phi(block, int(match[1]), match[2])
        if match := re.match(r"getelementptr inbounds %struct\.\w+, %struct\.\w+\* (\S+), i32 0, i32 (\d+)", text):
            base = self.pointer(match[1])
            return Pointer(base.name, base.offset + int(match[2]))
        if match := re.match(r"load i32, i32\* (\S+)", text):
            source = self.pointer(match[1].rstrip(","))
            return self.memory[block][source.name, source.offset]
        if match := re.match(r"freeze i(\d+) (\S+)", text):
            return self.term(match[2], int(match[1]))
        if match := re.match(r"(?:tail )?call i(\d+) @llvm\.(umin|umax|usub\.sat)\.i\d+\(i\d+ (\S+), i\d+ (\S+)\)", text):
            width, a, b = int(match[1]), match[3], match[4]
            x, y = self.term(a, width), self.term(b, width)
            return {"umin": z3.If(z3.ULT(x, y), x, y), "umax": z3.If(z3.ULT(x, y), y, x),
                    "usub.sat": z3.If(z3.ULT(x, y), z3.BitVecVal(0, width), x - y)}[match[2]]
        if " @" in text and "@llvm." not in text:
            result = self.follow(block, text)
            if result is not None:
                return result
        raise Unsupported(f"{self.function.name}: {text}")

    def arithmetic(self, operation: str, width: int, left: str, right: str) -> z3.BitVecRef:
        x, y = self.term(left, width), self.term(right, width)
        known = {"and": lambda: x & y, "or": lambda: x | y, "xor": lambda: x ^ y, "add": lambda: x + y,
                 "sub": lambda: x - y, "mul": lambda: x * y, "shl": lambda: x << y, "lshr": lambda: z3.LShR(x, y),
                 "ashr": lambda: x >> y, "udiv": lambda: z3.UDiv(x, y), "urem": lambda: z3.URem(x, y)}
        if operation not in known:
            raise Unsupported(f"{self.function.name}: {operation}")
        return known[operation]()

    def compare(self, how: str, width: int, left: str, right: str) -> z3.BitVecRef:
        x, y = self.term(left, width), self.term(right, width)
        return bit({"eq": x == y, "ne": x != y, "ult": z3.ULT(x, y), "ule": z3.ULE(x, y), "ugt": z3.UGT(x, y),
                    "uge": z3.UGE(x, y), "slt": x < y, "sle": x <= y, "sgt": x > y, "sge": x >= y}[how])

    @staticmethod
    def resize(how: str, value: z3.BitVecRef, width: int) -> z3.BitVecRef:
        if how == "trunc":
            return z3.Extract(width - 1, 0, value)
        more = width - value.size()
        return z3.ZeroExt(more, value) if how == "zext" else z3.SignExt(more, value)

    def phi(self, block: str, width: int, text: str) -> z3.BitVecRef:
        result = None
        for name, source in re.findall(r"\[ (\S+), %([\w.]+) \]", text):
            if (source, block) not in self.edges:
                continue
            value = self.term(name, width)
            result = value if result is None else z3.If(self.edges[source, block], value, result)
        if result is None:
            raise Unsupported(f"{self.function.name}: a block that nothing leads to")
        return result


def merge(condition: z3.BoolRef, then: Memory, otherwise: Memory) -> Memory:
    if then is otherwise:
        return otherwise
    return {place: z3.If(condition, then[place], otherwise[place]) if place in then else otherwise[place]
            for place in otherwise}
