#!/usr/bin/env python3
"""onnx_schema.py: the fields of frontends/onnx/onnx.proto have the names, numbers and kinds that the distribution's
onnx.proto gives them, or a later version does. Skipped where that file is not installed."""
import pathlib
import re
import sys

OURS = pathlib.Path(__file__).resolve().parent.parent.parent / "frontends" / "onnx" / "onnx.proto"
THEIRS = pathlib.Path("/usr/include/onnx/onnx.proto")
# Fields of later versions than a distribution may have (ONNX 1.13, 1.16).
LATER = {("FunctionProto", "attribute_proto"): (11, "AttributeProto", True, False),
         ("FunctionProto", "overload"): (13, "string", False, False),
         ("NodeProto", "overload"): (8, "string", False, False)}
FIELD = re.compile(r"(?:(optional|repeated)\s+)?([\w.]+)\s+(\w+)\s*=\s*(\d+)\s*(\[[^\]]*\])?;")


def fields(path):
    """(message, field) to (number, kind, repeated, packed); nested messages by their own name."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(), flags=re.S)
    out, stack = {}, []
    for token in re.finditer(r"(message|enum|oneof)\s+(\w+)\s*\{|\}|" + FIELD.pattern, text):
        if token[1]:
            stack.append((token[1], token[2]))
        elif token[0] == "}":
            stack and stack.pop()
        elif stack and stack[-1][0] != "enum":
            message = next(name for kind, name in reversed(stack) if kind == "message")
            kind = token[4].split(".")[-1]
            kind = "int32" if kind in ("AttributeType", "DataLocation") else kind  # enumerations travel as numbers
            out[message, token[5]] = (int(token[6]), kind, token[3] == "repeated", "packed" in (token[7] or ""))
    return out


if not THEIRS.is_file():
    print(f"skip: {THEIRS} is not installed")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)
theirs, ours = fields(THEIRS), fields(OURS)
failed = 0
for key, have in ours.items():
    if theirs.get(key, LATER.get(key)) != have:
        failed += 1
        print("FAIL", ".".join(key), "is", have, "there", theirs.get(key))
print(f"{len(ours) - failed} passed, {failed} failed")
sys.exit(failed != 0)
