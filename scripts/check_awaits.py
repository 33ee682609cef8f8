"""What is awaited is a plain call whose arguments are names, scalars and spans; a lambda coroutine captures nothing.

usage: check_awaits.py [--self-test]

g++ 12 destroys other temporaries of an awaited expression twice, and a lambda's captures die with the lambda, not
with its coroutine. tests/compiler, which shows such cases on purpose, is not looked at.
"""

import bisect
import re
import sys

import tree

TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.']*|\"[^\"]*\"|::|->|&&|\S")
CLOSING = {"(": ")", "[": "]", "{": "}"}
COROUTINE_WORDS = ("co_await", "co_return", "co_yield")
# After these a "[" begins a lambda though they look like names.
NOT_OPERANDS = {"return", "case", "else", "do", "throw", "and", "or", "not", *COROUTINE_WORDS}
OWNERS = {"string", "vector", "function", "unique_ptr", "shared_ptr", "make_unique", "make_shared", "to_string", "format"}


class Code:
    """The tokens of one file, and where their brackets close."""

    def __init__(self, text):
        code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", lambda m: re.sub(r"[^\n]", " ", m.group(0)),
                      tree.code_of(text), flags=re.MULTILINE)
        found = list(TOKEN.finditer(code))
        self.words = [match.group(0) for match in found]
        self._starts = [match.start() for match in found]
        self._lines = [match.start() for match in re.finditer("\n", code)]
        self.closing = self._match_brackets()

    def line(self, index):
        return bisect.bisect_left(self._lines, self._starts[index]) + 1

    def word(self, index):
        return self.words[index] if 0 <= index < len(self.words) else ""

    def _match_brackets(self):
        closing, opened = {}, []
        for index, word in enumerate(self.words):
            if word in CLOSING:
                opened.append(index)
            elif word in CLOSING.values():
                while opened:
                    begin = opened.pop()
                    if CLOSING[self.words[begin]] == word:
                        closing[begin] = index
                        break
        return closing

    def begins_lambda(self, index):
        if self.word(index) != "[" or "[" in (self.word(index + 1), self.word(index - 1)):
            return False
        before = self.word(index - 1)
        if before in (")", "]", ">", "operator", "delete", "auto") or before.startswith('"'):
            return False
        if before in ("&", "&&") and self.word(index - 2) == "auto":  # a structured binding
            return False
        return not re.match(r"\w", before) or before in NOT_OPERANDS


def awaited(code, index):
    """The range of tokens that the co_await at `index` awaits."""
    begin = end = index + 1
    while code.word(end) in ("*", "&", "!", "-", "+", "~"):
        end += 1
    while end < len(code.words):
        word = code.word(end)
        if word in CLOSING and end in code.closing:
            end = code.closing[end] + 1
        elif word == "<" and template_end(code, end):
            end = template_end(code, end)
        elif word in (".", "->", "::") or (re.match(r'[\w"]', word) and not ends_operand(code.word(end - 1))):
            end += 1
        else:
            break
    return begin, end


def ends_operand(word):
    return word not in COROUTINE_WORDS and bool(re.match(r'[\w")\]}>]', word))


def template_end(code, index):
    """Just past the ">" if a list of template arguments begins at `index`, else None."""
    if not re.match(r"[A-Za-z_]", code.word(index - 1)):
        return None
    depth = 0
    for end in range(index, len(code.words)):
        word = code.word(end)
        depth += (word == "<") - (word == ">")
        if depth == 0:
            return end + 1 if code.word(end + 1) in ("(", "{", "::") else None
        if not re.match(r"[\w<>,*&:]", word):
            return None
    return None


def fault_of(code, begin, end):
    for index in range(begin, end):
        word = code.word(index)
        if code.begins_lambda(index):
            return "a lambda"
        if word == "{":
            return "braces"
        if word == "?":
            return "a conditional"
        if word == "co_await":
            return "another co_await"
        if word in OWNERS and code.word(index + 1) in ("(", "<") and code.word(index - 1) == "::":
            return f"a temporary that owns memory ({word})"
    return None


def captures(code):
    """(first, last token of the body, captures something) of each lambda."""
    for index in range(len(code.words)):
        if not code.begins_lambda(index) or index not in code.closing:
            continue
        close = code.closing[index]
        at = close + 1
        while at < len(code.words) and code.word(at) not in ("{", ";", ")", "}", "]"):
            at = code.closing.get(at, at) + 1
        if code.word(at) == "{" and at in code.closing:
            yield at, code.closing[at], close > index + 1


def problems_in(path, text):
    if not any(word in text for word in COROUTINE_WORDS):
        return []
    code = Code(text)
    lambdas = list(captures(code))
    problems, reported = [], set()
    for index, word in enumerate(code.words):
        if word not in COROUTINE_WORDS or code.word(index - 1) == "operator":
            continue
        if word == "co_await":
            fault = fault_of(code, *awaited(code, index))
            if fault:
                problems.append(f"{path}:{code.line(index)}: {fault} in an awaited expression: give it a name before")
        around = [body for body in lambdas if body[0] < index < body[1]]
        innermost = max(around, default=None)
        if innermost and innermost[2] and innermost not in reported:
            reported.add(innermost)
            problems.append(
                f"{path}:{code.line(innermost[0])}: a lambda coroutine with captures: pass them as arguments"
            )
    return problems


GOOD = [
    "while (auto chunk = co_await client.read()) { if (!co_await client.write(chunk)) break; }",
    "co_await client.write(std::span(line).first(n)); Reply r{1, 2};",
    "auto n = co_await io.get<std::size_t, Kind::read>(buffer) ? 1 : 2;",
    "if (co_await a.b()->c(x[i]) < limit) { go([&] { return 1; }); }",
    "auto t = [](Connection& c) -> task<> { co_await c.read(); };",
    "auto f = [this] { spawn([](int n) -> task<int> { co_return n; }, 3); };",
    "auto& [key, value] = pair; co_await wait(key);",
    "task<> f() { std::function<void()> g = [x] { h(x); }; co_await wait(5ms); }",
    "// co_await f({1})\n const char* s = \"co_await f({1})\"; co_await g();",
    "[[nodiscard]] auto operator co_await() { return Awaiter{this}; }",
    "co_return co_await inner(a, b);",
    "#define AWAIT(x) co_await f(Thing{x})\nint a[] = {1};",
    'co_await client.write("a {b} ? [c]");',
    "co_await wait_until(1'000'000); int a{1};",
]
BAD = [
    "co_await client.send({1, 2});",
    "co_await Sleep{5};",
    "co_await send(Reply{.code = 1});",
    "x = co_await run([] { return 1; });",
    "x = co_await run([&a](int b) { return a + b; });",
    "co_await client.write(busy ? one : other);",
    "co_await (busy ? one() : other());",
    "co_await a.get<int>(x).put({});",
    "co_await client.write(\n  std::string(3, 'x'));",
    "co_await client.write(fmt::format(\"{}\", 1));",
    "co_await f(co_await g());",
    "auto t = [this]() -> task<> { co_await read(); };",
    "auto t = [&](int n) mutable noexcept -> task<int> { co_return n; };",
    "run([x = std::move(y)] { co_return; });",
    "return [=]() -> task<> { if (x) { co_await f(); } };",
    "auto a = 'x'; co_await f({'\"'}); auto b = '\"';",
]

if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        tree.self_test(GOOD, BAD, lambda sample: problems_in("sample.cpp", sample))
    found = []
    for name in tree.files(".h", ".cpp", under=("superd/", "apps/", "examples/", "tests/", "bench/")):
        if not name.startswith("tests/compiler/"):
            found += problems_in(name, tree.read(name))
    tree.finish(found)
