#!/bin/sh
# faults.sh BUILD: what happens when a plugin crashes, hangs, fails in silence or does wrong: the message names
# plugin, descriptor and node, nothing half written stays, and nashc does not take the blame (nor give its own away).
set -u
build=$(cd "$1" && pwd)
src=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
nashc=$build/tools/nashc
passed=0
failed=0
unset NASHC_PLUGIN_PATH
cd "$tmp" || exit 1

cat >net.nashir <<'IR'
nashc 1

graph @main(%x: i4[1,4]) -> (%y) {
  %s: u7<0..64>[1,4] = nn.mul(%x, %x) !"first"
  %y: u13<0..4096>[1,4] = nn.mul(%s, %s) !"last"
}
IR
for op in silent crash large rank; do
    printf 'nashc 1\n\ngraph @main(%%x: i4[1,4]) -> (%%y) {\n  %%y: i4[1,4] = f.%s(%%x) !"fault"\n}\n' $op >$op.nashir
done
python3 -c '
head = "{\"descr\": \"|i1\", \"fortran_order\": False, \"shape\": (1, 4)}".ljust(117) + "\n"
open("x.npy", "wb").write(b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head.encode() + bytes(4))'
printf boom >crash.boom
printf boom >nothing.boom
# Compiled without optimisation: what is meant to crash must not be reasoned away.
cc -std=c11 -O0 -Wno-infinite-recursion -shared -fPIC -I"$src/core/include" "$src/tests/abi/faults.c" -o f.so || exit 1

check() { # NAME CODE TEXT... -- COMMAND...: exits with CODE, prints each TEXT
    name=$1 code=$2
    shift 2
    : >want
    while [ "$1" != -- ]; do
        printf '%s\n' "$1" >>want
        shift
    done
    shift
    "$@" >out 2>&1
    got=$?
    bad=
    [ "$got" = "$code" ] || bad="exit $got, wanted $code"
    while IFS= read -r text; do
        case $text in
        !*) grep -qF -- "${text#!}" out && bad="$bad; has '${text#!}'" ;;
        *) grep -qF -- "$text" out || bad="$bad; lacks '$text'" ;;
        esac
    done <want
    if [ -z "$bad" ]; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name: $bad"
        sed 's/^/     /' out
    fi
}

opt() { # PASSES [OPTION...]
    passes=$1
    shift
    "$nashc" opt net.nashir --load-plugin=./f.so "-passes=$passes" "$@"
}

ours='!bug in nashc'
theirs='a fault of the plugin, not of nashc or of your input'

# Crashes. ASan has its own report in place of ours.
if ! nm -D "$build/libnashc.so" | grep -q __asan_init; then
    check "segmentation fault, last node seen" 4 './f.so: error: pass "f-segv" crashed: segmentation fault' \
        'having come to node "last" (nn.mul)' "$theirs" "$ours" 'wrote nashc-repro.nashir' -- opt f-segv
    check "the graph from before the crash" 4 './f.so: error: pass "f-segv" crashed' -- \
        "$nashc" opt nashc-repro.nashir --run-repro --load-plugin=./f.so
    check "crash in a pattern, at its root" 4 './f.so: error: pass "f-root" crashed' 'at node "first" (nn.mul)' -- \
        opt f-root
    check "division by zero" 4 'pass "f-fpe" crashed: arithmetic fault' -- opt f-fpe
    check "abort" 4 'pass "f-abort" crashed: aborted' -- opt f-abort
    check "stack overflow" 4 'pass "f-overflow" crashed: segmentation fault' -- opt f-overflow
    check "crash in a frontend" 4 './f.so: error: frontend "boom" crashed' "$ours" -- \
        "$nashc" opt crash.boom --load-plugin=./f.so -passes= -o -
    check "crash in a backend" 4 './f.so: error: backend "half" crashed' -- opt '' -o out.half
    check "nothing half written" 0 -- sh -c '! ls | grep -E "half"'
    check "crash in eval of an op, inside a built-in executor" 4 './f.so: error: op "f.crash" crashed' \
        'at node "fault" (f.crash)' 'called from executor "reference"' -- \
        "$nashc" run crash.nashir --load-plugin=./f.so --input x.npy
    check "messages as JSON" 4 '{"severity":"error","file":"./f.so","message":"pass \"f-root\" crashed' \
        "\"notes\":[{\"kind\":\"note\",\"text\":\"this is $theirs\"}]}" -- opt f-root --diag=json
fi

# A crash of nashc itself: it waits for the other end of a pipe.
mkfifo wait.nashir
stopped() { # SIGNAL COMMAND...: sends SIGNAL, then tells how the command ended
    python3 -c '
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_DFL) # a job in the background has it ignored
p = subprocess.Popen(sys.argv[2:])
time.sleep(0.7)
p.send_signal(getattr(signal, "SIG" + sys.argv[1]))
try:
    print("ended with", p.wait(60))
except subprocess.TimeoutExpired:
    p.kill()
    print("did not end")' "$@"
}
if ! nm -D "$build/libnashc.so" | grep -q __asan_init; then
    check "a crash of nashc" 0 'nashc: error: internal error: command "opt" crashed: segmentation fault' \
        'this is a bug in nashc' 'ended with 70' -- stopped SEGV "$nashc" opt wait.nashir -passes= -o -
fi

# Ends that are none.
check "exit() in a pass" 4 './f.so: error: pass "f-exit" ended the program by exit()' "$ours" -- opt f-exit
check "time-out" 4 './f.so: error: pass "f-endless" took longer than --pass-timeout=1' -- \
    opt f-endless --pass-timeout=1
check "no time-out of what is in time" 0 -- opt fold-constants,sort-graph --pass-timeout=5 -o net.out.nashir
check "Ctrl-C" 0 './f.so: note: pass "f-endless" was interrupted' 'ended with -2' -- \
    stopped INT "$nashc" opt net.nashir --load-plugin=./f.so -passes=f-endless
check "SIGTERM" 0 './f.so: note: pass "f-endless" was interrupted' 'ended with -15' -- \
    stopped TERM "$nashc" opt net.nashir --load-plugin=./f.so -passes=f-endless
# The program that was started says by a file that it lives; its folder of candidates goes too.
check "Ctrl-C ends what was started" 0 'command "reduce" was interrupted' 'ended with -2' -- \
    stopped INT "$nashc" reduce net.nashir "--test=sh -c 'echo \$1 >candidate; sleep 2; echo >late' -- {}" -o r.nashir
sleep 2
check "and its files" 0 -- sh -c '[ -s candidate ] && [ ! -e late ] && [ ! -e "$(cat candidate)" ]'
check "endless patterns" 4 'pass "f-forever" does not come to an end' 'in pass "f-forever" of ./f.so' "$theirs" \
    "$ours" -- opt f-forever
check "odd exit code of a command" 4 'command "odd" returned 12345' "$theirs" 'in command "odd" of ./f.so' -- \
    "$nashc" odd --load-plugin=./f.so

# Silence.
check "a pass without a message" 1 './f.so: error: pass "f-silent" failed with status 1 (malformed input) and no' \
    'in pass "f-silent" of ./f.so' "$theirs" "$ours" -- opt f-silent
check "a status that is none" 4 'failed with status 77 (not a status)' "$theirs" -- opt f-odd
check "eval without a message" 1 'node "fault": op "f.silent" failed with status 2 (not supported) and no message' \
    'in op "f.silent" of ./f.so' "$ours" -- "$nashc" run silent.nashir --load-plugin=./f.so --input x.npy
check "a frontend without a model" 4 'frontend "boom" gave no model' 'in frontend "boom" of ./f.so' "$ours" -- \
    "$nashc" opt nothing.boom --load-plugin=./f.so -passes= -o -
check "an executor without a message" 1 'executor "none" failed with status 2' 'in executor "none" of ./f.so' -- \
    "$nashc" run net.nashir --load-plugin=./f.so --executor=none --input x.npy

# Wrong results.
check "--check-each" 3 '"f-add" changed the result' 'in pass "f-add" of ./f.so' -- opt f-add --check-each
check "--verify-each" 4 'pass "f-type" left an invalid graph' 'in pass "f-type" of ./f.so' "$theirs" "$ours" -- \
    opt f-type --verify-each
check "a value of another graph" 4 'operand 0 of a new nn.neg is dead or of another graph' \
    'in pass "f-foreign" of ./f.so' "$theirs" "$ours" -- opt f-foreign
check "an element out of range" 1 'node "fault"' 'does not fit its type' 'in op "f.large" of ./f.so' -- \
    "$nashc" run large.nashir --load-plugin=./f.so --input x.npy
check "a type that cannot be" 4 'infer of f.rank gives result 0 a type that cannot be' 'in op "f.rank" of ./f.so' \
    "$theirs" "$ours" -- "$nashc" opt rank.nashir --load-plugin=./f.so -passes= -o -

# Files that are no plugins: nothing of them is run, and those in folders stop nobody.
check_file() { # NAME TEXT FILE
    check "$1" 1 "$3" "$2" "$ours" -- "$nashc" list plugins "--load-plugin=./$3"
}
size=$(wc -c <f.so)
for n in 10 63 200 4096 $((size * 3 / 4)); do
    head -c "$n" f.so >"cut$n.so"
    check_file "cut off after $n bytes" 'the file is cut off' "cut$n.so"
done
: >empty.so
check_file "an empty file" 'cannot load the plugin' empty.so
mkfifo pipe.so
check_file "a named pipe" 'it is not a regular file' pipe.so
ln -s /dev/zero zero.so
check_file "a device" 'it is not a regular file' zero.so
mkdir folder && mv pipe.so cut4096.so folder && cp f.so folder
check "a folder with damaged files" 0 'pipe.so: warning:' 'cut4096.so: warning:' '[-Wplugin-skipped]' \
    '!error:' faults -- \
    env NASHC_PLUGIN_PATH=folder "$nashc" list plugins

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
