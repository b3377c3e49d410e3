#!/bin/sh
# onnx.sh BUILD: ONNX operators that a plugin brings: built with nothing but the compiler, read, written, read back,
# listed; clashes and rows that are not legal are refused.
set -u
build=$(cd "$1" && pwd)
src=$(cd "$(dirname "$0")/../.." && pwd)
nashc=$build/tools/nashc
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0
unset NASHC_PLUGIN_PATH

ok() { # NAME COMMAND...: counts a check
    name=$1
    shift
    if "$@" >"$tmp/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name"
        sed 's/^/     /' "$tmp/log"
    fi
}

has() { # TEXT COMMAND...: COMMAND succeeds and prints TEXT
    text=$1
    shift
    "$@" >"$tmp/out" 2>&1 && grep -qF -- "$text" "$tmp/out" || { cat "$tmp/out"; return 1; }
}

refused() { # TEXT COMMAND...: COMMAND exits with 1 and prints TEXT
    text=$1
    shift
    "$@" >"$tmp/out" 2>&1
    got=$?
    [ "$got" = 1 ] && grep -qF -- "$text" "$tmp/out" || { echo "exit $got, wanted '$text'"; cat "$tmp/out"; return 1; }
}

compile() { # LANGUAGE OUT [DEFINES]
    lang=$1 out=$2
    shift 2
    std=c11 cc=cc
    [ "$lang" = c++ ] && std=c++17 cc=c++
    $cc -x $lang -std=$std -Wall -Wextra -Werror -Wno-missing-field-initializers -Wno-unused "$@" -shared -fPIC \
        -fvisibility=hidden -I"$src/core/include" "$src/tests/abi/onnx_rows.c" -o "$out" -L"$build" -lnashc -Wl,-z,defs
}

model() { # VERSION NODE...: a model x -> y in text form, as ONNX
    version=$1
    shift
    protoc --encode=onnx.ModelProto -I "$src/frontends/onnx" onnx.proto <<TXT
ir_version: 8
opset_import { domain: "" version: 13 }
opset_import { domain: "com.example" version: $version }
graph {
  name: "g"
  node { domain: "com.example" name: "it" input: "x" output: "y" $* }
  input { name: "x" type { tensor_type { elem_type: 1 shape { dim { dim_value: 1 } dim { dim_value: 2 } } } } }
  output { name: "y" type { tensor_type { elem_type: 1 } } }
}
TXT
}

cd "$tmp" || exit 1
for lang in c c++; do
    ok "$lang builds" compile $lang $lang.so
done
ok "second plugin" compile c second.so -DSECOND=1
ok "overriding plugin" compile c override.so -DSECOND=1 -DOVERRIDE=1
opt="$nashc opt -passes= -o - --load-plugin ./c.so"
model 1 'op_type: "Twice"' >twice.onnx
model 2 'op_type: "Twice" attribute { name: "sign" i: -1 type: 2 }' >minus.onnx
model 7 'op_type: "Twice"' >new.onnx
model 1 'op_type: "Twice" attribute { name: "sign" i: 3 type: 2 }' >three.onnx
model 1 'op_type: "Twice" input: "x"' >two.onnx
model 1 'op_type: "Twice" attribute { name: "sign" f: 3 type: 1 }' >kind.onnx
model 2 'op_type: "Scale2" attribute { name: "factor" f: 0.5 type: 1 } attribute { name: "negate" i: 1 type: 2 }
    attribute { name: "mode" s: "fancy" type: 3 } attribute { name: "note" s: "a \"b\" shift=9" type: 3 }' >scale.onnx
model 2 'op_type: "Scale2" attribute { name: "mode" s: "plain shift=9" type: 3 }' >inject.onnx
model 1 'op_type: "Scale2"' >old.onnx
model 1 'op_type: "Other"' >other.onnx
model 1 'op_type: "Loop"' >loop.onnx
model 1 'op_type: "Forgets"' >forgets.onnx
model 1 'op_type: "Halves" output: "z"' >halves.onnx

# Reading.
ok "a function makes two nodes: the first" has '= nn.add(%x, %x)' $opt minus.onnx
ok "a function makes two nodes: the second" has '%y: f32[1,2] = nn.neg(' $opt minus.onnx
ok "the row of the version" has '%y: f32[1,2] = nn.mul(%x, ' $opt new.onnx
ok "1:1, attributes by name and kind" has \
    '= example.scale2(%x) gain=0.5 negate=true mode=fancy note="a \"b\" shift=9"' $opt scale.onnx
ok "a C++ plugin does the same" has '= nn.add(%x, %x)' "$nashc" opt -passes= -o - --load-plugin ./c++.so twice.onnx
ok "1:1 with two results" has '%y: f32[1,2], %v1: f32[1,2] = example.halves(%x)' $opt halves.onnx
ok "text of an attribute stays one attribute" refused 'mode' $opt inject.onnx
ok "an error of the function names the node" refused 'node "it" (Twice): sign is 3, expected 1 or -1' $opt three.onnx
ok "counts of operands are checked" refused 'node "it" (Twice): 2 inputs, 1 expected' $opt two.onnx
ok "kinds of attributes are checked" refused 'attribute sign has type FLOAT, INT expected' $opt kind.onnx
ok "a later form is named" refused 'operator Scale2 is part of opset 2 and later, the file imports 1' $opt old.onnx
ok "a row that refuses" refused 'node "it" (Loop): Loop is a loop of its own' $opt loop.onnx
ok "an output that was not set" refused 'node "it" (Forgets): the function of row Forgets-1 has not set output 0' \
    $opt forgets.onnx
ok "an unknown operator of a known domain" refused 'help: a plugin may bring it (--load-plugin)' $opt other.onnx
ok "an unknown domain" refused \
    'help: no operator of the domain "com.example" is known; a plugin may bring them (--load-plugin)' \
    "$nashc" opt -passes= -o - twice.onnx
ok "the built-in operators stay" refused 'unknown operator com.example.Twice' "$nashc" opt -passes= -o - twice.onnx

# Writing, and reading what was written.
cat >net.nashir <<'IR'
nashc 1

graph @main(%x: f32[1,4]) -> (%y, %b) {
  %s: f32[1,4] = example.scale2(%x) gain=0.25 negate=true shift=3 mode=fancy note="\xc3\"" taps=[1,-2] levels=[1,2.5]
  %r: f32[1,4] = nn.relu(%s)
  %a: f32[1,4], %b: f32[1,4] = example.halves(%r)
  %y: f32[1,4] = example.scale2(%a)
}
IR
ok "written" "$nashc" opt --load-plugin ./c.so net.nashir -passes= -o net.onnx
protoc --decode=onnx.ModelProto -I "$src/frontends/onnx" onnx.proto <net.onnx >net.txt 2>"$tmp/log"
ok "under the plugin's names" has 'op_type: "Scale2"' cat net.txt
ok "of its domain" has 'domain: "com.example"' cat net.txt
ok "which the file imports" has 'version: 2' sed -n '/opset_import/,/}/p' net.txt
ok "and nothing under the domain nashc" sh -c '! grep -q "domain: \"nashc\"" net.txt'
ok "the same IR comes back" sh -c "$nashc opt --load-plugin ./c.so net.nashir -passes= -o a.nashir &&
    $nashc opt --load-plugin ./c.so net.onnx -passes= -o b.nashir && grep '= example' a.nashir >a &&
    grep '= example' b.nashir | sed 's/ !\"[a-z]*\"\$//' >b && cmp a b || { cat a b; exit 1; }"
ok "and the file again" sh -c "$nashc opt --load-plugin ./c.so net.onnx -passes= -o 2.onnx &&
    $nashc opt --load-plugin ./c.so 2.onnx -passes= -o 3.onnx && cmp 2.onnx 3.onnx"

# Lists, clashes, faults.
ok "listed" has 'com.example.Scale2' "$nashc" list imports --load-plugin ./c.so
ok "with who brought it" has '[from ./c.so]' "$nashc" list imports --load-plugin ./c.so
ok "why it is refused" has 'is a loop of its own' "$nashc" list imports --load-plugin ./c.so
ok "two plugins with one operator" refused \
    './second.so: ONNX operator com.example.Twice of version 1 exists already, from ./c.so' \
    $opt --load-plugin ./second.so twice.onnx
ok "on purpose" has '= nn.add(%x, %x)' $opt --load-plugin ./override.so twice.onnx

bad() { # TEXT ROW: the row is refused with TEXT
    compile c bad.so "-DBAD=$2" && refused "$1" "$nashc" opt -passes= -o - --load-plugin ./bad.so twice.onnx &&
        grep -q 'bad.so' "$tmp/out"
}
ok "row without meaning" bad 'neither an IR operator nor a function' \
    '{"com.example", "No", 1, NULL, "", 1, 1, 1, 0, NULL, {NULL}}'
ok "row of an operator that is not there" bad 'there is no IR operator "nn.nothing"' \
    '{"com.example", "No", 1, "nn.nothing", "", 1, 1, 1, 0, NULL, {NULL}}'
ok "row with an attribute that is not there" bad 'nn.relu has no attribute "alpha"' \
    '{"com.example", "No", 1, "nn.relu", "alpha:f", 1, 1, 1, 0, NULL, {NULL}}'
ok "row with a malformed list" bad 'are malformed at "alpha"' \
    '{"com.example", "No", 1, "nn.elu", "alpha", 1, 1, 1, 0, NULL, {NULL}}'
ok "row with illegal counts" bad 'operand or result counts are not ranges' \
    '{"com.example", "No", 1, "nn.relu", "", 2, 1, 1, 0, NULL, {NULL}}'
ok "row of a standard operator" bad 'ONNX operator ai.onnx.Relu of version 1 exists already, from built-in' \
    '{"", "Relu", 1, "nn.relu", "", 1, 1, 1, 0, NULL, {NULL}}'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
