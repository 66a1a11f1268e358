#!/usr/bin/env python3
"""Writes unicode_tables.inl from Python's Unicode database: ranges of letters (L*), numbers (N*), white space and marks
(M*), runs of lower-case (Ll) and of upper- and title-case letters (Lu, Lt), runs of simple lower-casing, canonical combining classes, canonical decompositions, and whether each may be composed again."""
import sys
import unicodedata


def ranges(test):
    out, start = [], None
    for c in range(0x110000):
        if test(c):
            start = c if start is None else start
        elif start is not None:
            out.append((start, c - 1))
            start = None
    return out


def lower_runs():
    """(first, last, step, difference): every step-th character from first to last goes to itself + difference."""
    pairs = [(c, ord(chr(c).lower())) for c in range(0x110000) if len(chr(c).lower()) == 1 and chr(c).lower() != chr(c)]
    runs = []
    for c, l in pairs:
        if runs:
            a, b, step, d = runs[-1]
            gap = c - b
            if l - c == d and ((step == 0 and gap <= 2) or gap == step):
                runs[-1] = (a, c, gap, d)
                continue
        runs.append((c, c, 0, l - c))
    return [(a, b, max(s, 1), d) for a, b, s, d in runs]


def case_runs(categories):
    """(first, last, step): every step-th character from first to last."""
    runs = []
    for c in (c for c in range(0x110000) if unicodedata.category(chr(c)) in categories):
        if runs:
            a, b, step = runs[-1]
            if (step == 0 and c - b <= 2) or c - b == step:
                runs[-1] = (a, c, c - b)
                continue
        runs.append((c, c, 0))
    return [(a, b, max(s, 1)) for a, b, s in runs]


def class_runs():
    """(first, last, combining class) of characters with a class above 0."""
    runs = []
    for c in range(0x110000):
        k = unicodedata.combining(chr(c))
        if k and runs and runs[-1][1] == c - 1 and runs[-1][2] == k:
            runs[-1][1] = c
        elif k:
            runs.append([c, c, k])
    return runs


def decompositions():
    """(character, first, second or 0, composes): canonical, one step; Hangul is done by formula."""
    rows = []
    for c in range(0x110000):
        parts = unicodedata.decomposition(chr(c)).split()
        if not parts or parts[0].startswith("<"):
            continue
        codes = [int(x, 16) for x in parts] + [0]
        composes = len(parts) == 2 and unicodedata.normalize("NFC", "".join(chr(x) for x in codes[:2])) == chr(c)
        rows.append((c, codes[0], codes[1], int(composes)))
    return rows


def table(name, rows, kind):
    text, line = f"constexpr {kind} {name}[] = {{\n", "   "
    for r in rows:
        item = " {" + ", ".join(str(v) for v in r) + "},"
        if len(line) + len(item) > 120:
            text, line = text + line + "\n", "   "
        line += item
    return text + line + "\n};\n"


with open(sys.argv[1], "w") as f:
    f.write(f"// Made by make_unicode_tables.py (then clang-format) from Unicode {unicodedata.unidata_version}.\n")
    f.write(table("letters", ranges(lambda c: unicodedata.category(chr(c))[0] == "L"), "CodeRange"))
    f.write(table("numbers", ranges(lambda c: unicodedata.category(chr(c))[0] == "N"), "CodeRange"))
    f.write(table("spaces", ranges(lambda c: chr(c).isspace() and c not in range(0x1c, 0x20)), "CodeRange"))
    f.write(table("marks", ranges(lambda c: unicodedata.category(chr(c))[0] == "M"), "CodeRange"))
    f.write(table("lowerLetters", case_runs({"Ll"}), "CaseRun"))
    f.write(table("upperLetters", case_runs({"Lu", "Lt"}), "CaseRun"))
    f.write(table("lowerRuns", lower_runs(), "LowerRun"))
    f.write(table("combiningClasses", class_runs(), "ClassRun"))
    f.write("// clang-format off\n" + table("decompositions", decompositions(), "Decomposition") + "// clang-format on\n")
