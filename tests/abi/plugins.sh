#!/bin/sh
# plugins.sh BUILD: builds the example plugins out of the tree against an installed prefix with nothing but
# cc and pkg-config, as C11 and as C++17, and uses them; runs their tests by the installed nashc-test; moves the
# prefix and runs it again; then loads plugins that must be refused.
set -u
build=$(cd "$1" && pwd)
src=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0

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

DESTDIR=$tmp/dest meson install -C "$build" --no-rebuild --quiet || exit 1
pc=$(find "$tmp/dest" -name nashc.pc)
prefix=$(dirname "$(dirname "$(find "$tmp/dest" -name nashc.h -path '*nashc/nashc.h')")")
prefix=$(dirname "$prefix")
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
flags="$(pkg-config --define-variable=prefix="$prefix" --cflags --libs nashc)"
libdir=$(dirname "$(dirname "$pc")")
nashc=$prefix/bin/nashc
unset NASHC_PLUGIN_PATH

cd "$tmp" || exit 1
cat >net.nashir <<'IR'
nashc 1

graph @main(%x: i4[1,4]) -> (%y) {
  %s: u7<0..64>[1,4] = nn.mul(%x, %x)
  %y: u13<0..4096>[1,4] = nn.mul(%s, %s)
}
IR

compile() { # LANGUAGE SOURCE OUT [DEFINES]: no other tool than the compiler
    lang=$1 in=$2 out=$3
    shift 3
    if [ "$lang" = c++ ]; then
        c++ -x c++ -std=c++17 -Wall -Wextra -Werror -Wno-missing-field-initializers "$@" -shared -fPIC \
            -fvisibility=hidden "$in" -o "$out" $flags -Wl,-z,defs
    else
        cc -std=c11 -Wall -Wextra -Werror -Wno-missing-field-initializers "$@" -shared -fPIC \
            -fvisibility=hidden "$in" -o "$out" $flags -Wl,-z,defs
    fi
}

one_symbol() { # SO: exports nothing but the entry
    [ "$(nm -D --defined-only "$1" | awk '{print $3}' | grep -v '^_')" = nashc_plugin_entry ]
}

has() { # TEXT COMMAND...: COMMAND succeeds and prints TEXT
    text=$1
    shift
    "$@" >"$tmp/out" 2>&1 && grep -qF -- "$text" "$tmp/out" || { cat "$tmp/out"; return 1; }
}

no_plugins_of_others() { # LIBDIR/plugins is not ours
    mkdir "$libdir/plugins" && cp c-square.so "$libdir/plugins"
    has 'plugin hello' env -i "$nashc" --version && ! grep -q square "$tmp/out"
}

refused() { # CODE TEXT COMMAND...: COMMAND exits with CODE and an error that has TEXT
    code=$1 text=$2
    shift 2
    "$@" >"$tmp/out" 2>&1
    got=$?
    [ "$got" = "$code" ] && grep -q 'error:' "$tmp/out" && grep -qF -- "$text" "$tmp/out" ||
        { echo "exit $got, wanted $code and '$text'"; cat "$tmp/out"; return 1; }
}

same_files() { # A B: two folders hold the same names
    [ "$(cd "$1" && find . -type f | sort)" = "$(cd "$2" && find . -type f | sort)" ]
}

ok "every public header is installed" same_files "$src/core/include/nashc" "$prefix/include/nashc"
ok "every example is installed" same_files "$src/plugins/examples" "$prefix/share/nashc/examples"
cat >all.c <<'C'
#include <nashc/nashc.h>
int answer(void);
int answer(void) { return (int)NASHC_ABI + nashc_status_exit(NASHC_OK); }
C
ok "all headers, C11" cc -std=c11 -Wall -Wextra -Werror -c all.c -o all.o $flags
ok "all headers, C++17" c++ -x c++ -std=c++17 -Wall -Wextra -Werror -c all.c -o all.o $flags
ok "runs in an empty environment" has 'plugin ABI' env -i "$nashc" --version

examples=$prefix/share/nashc/examples
for lang in c c++; do
    for p in hello_pass/hello square_op/square wiring_backend/wiring folder_backend/folder \
        prefix_sum/prefix_sum; do
        so=$tmp/$lang-$(basename $p).so
        ok "$lang $p builds against the prefix" compile $lang "$examples/$p.c" "$so"
        ok "$lang $p exports one symbol" one_symbol "$so"
        ok "$lang $p passes its tests" "$prefix/bin/nashc-test" --plugin "$so" "$examples/$(dirname $p)"
    done
    ok "$lang pass plugin runs in a pipeline" has 'hello: graph @main has 2 nodes of nn.mul' \
        "$nashc" opt net.nashir --load-plugin "$tmp/$lang-hello.so" '-passes=hello(op=nn.mul)' -o -
    ok "$lang op and pass plugin, checked" has 'square.square(%x)' \
        "$nashc" opt net.nashir --load-plugin "$tmp/$lang-square.so" -passes=use-square --verify-each \
        --check-each -o -
    ok "$lang op of a plugin becomes a layer" has 'hw.add_streams' \
        "$nashc" opt net.nashir --load-plugin "$tmp/$lang-square.so" \
        -passes=use-square,check-streamlined,to-hw --verify-each --check-each -o -
    ok "$lang backend plugin writes by suffix" \
        "$nashc" opt net.nashir --load-plugin "$tmp/$lang-wiring.so" -passes= -o "$lang.wires"
    ok "$lang backend plugin's file" grep -q 'nn.mul -> nn.mul' "$lang.wires"
done

# A backend that writes a folder: its files, the host's manifest with its key, and again into the same folder.
for lang in c c++; do
    folder() { "$nashc" compile "$src/tests/data/tfc_w1a1_fmnist/model.onnx" -o "$lang-design" \
        --load-plugin "$tmp/$lang-folder.so" --backend layer-list "$@"; }
    ok "$lang folder backend compiles" has 'interval: 640 cycles' folder
    ok "$lang folder backend's file" grep -qx hw.mvau "$lang-design/layers.txt"
    ok "$lang manifest of the host" grep -q '"backend": "layer-list"' "$lang-design/manifest.json"
    ok "$lang manifest has the backend's key" grep -q '"layers": [1-9]' "$lang-design/manifest.json"
    ok "$lang graph of the host" grep -q hw.mvau "$lang-design/model.nashir"
    ok "$lang the same folder again, with an option" folder --backend-option cycles
    ok "$lang the option counts" grep -Eqx 'hw.mvau [0-9]+' "$lang-design/layers.txt"
    ok "$lang estimate of the folder" has 'interval: 640 cycles' "$nashc" estimate "$lang-design" \
        --load-plugin "$tmp/$lang-folder.so"
    ok "$lang estimate without its backend" refused 1 'the backend "layer-list" wrote it' \
        "$nashc" estimate "$lang-design"
    ok "$lang unknown option" refused 2 'options of backend "layer-list": cycles' folder --backend-option cycle
    ok "$lang sim knows whose it is" refused 1 'was not written by the verilog backend' \
        "$nashc" sim "$lang-design" --input "$src/tests/data/tfc_w1a1_fmnist/input.npy"
done
# It must not claim to be another tool, and what is no object is told.
sed 's/{\\"layers\\": %d}/[%d]/' "$src/plugins/examples/folder_backend/folder.c" >list.c
sed 's/{\\"layers\\": %d}/{\\"tool\\": \\"other\\", \\"n\\": %d}/' \
    "$src/plugins/examples/folder_backend/folder.c" >other.c
for p in list other; do compile c $p.c $p.so; done
bad() { "$nashc" compile "$src/tests/data/tfc_w1a1_fmnist/model.onnx" -o bad --load-plugin "$tmp/$1.so" \
    --backend layer-list; }
ok "manifest that is no object" refused 1 'backend "layer-list" left a manifest.json that is no JSON object' bad list
ok "and nothing is left" test ! -e bad
ok "manifest of another tool" bad other
ok "is ours all the same" grep -q '"tool": "nashc"' bad/manifest.json

# A layer that is not as its model says, and a module that no simulator takes: whose they are is told.
source=$examples/prefix_sum/prefix_sum
sed 's/out->latency = 1/out->latency = 2/' "$source.c" >late.c
sed 's/    assign s_tready = en;/    asign s_tready = en;/' "$source.c" >broken.c
for p in late broken; do compile c $p.c $p.so; done
printf 'nashc 1\ngraph @main(%%x: i4[1,4]) -> (%%y) {\n%%y: i6<-32..28>[1,4] = example.prefix_sum(%%x)\n}\n' >sum.nashir
"$nashc" compile sum.nashir -o late --load-plugin "$tmp/late.so" -q >/dev/null 2>&1
/usr/bin/python3 -c 'import numpy; numpy.save("x.npy", numpy.ones((2, 4), "f4"))' 2>/dev/null &&
    ok "a wrong cycle model shows in simulation" has '[-Wcycle-model]' "$nashc" sim late --input x.npy \
        --load-plugin "$tmp/late.so"
ok "broken Verilog of a plugin" refused 4 'the generated bench failed' "$nashc" compile sum.nashir -o broken \
    --load-plugin "$tmp/broken.so" --verify sim
ok "it is not called a bug of ours" sh -c "! grep -q 'bug in nashc' '$tmp/out' && grep -q 'of the plugin' '$tmp/out'"

# What nashc starts itself knows the plugins of the command line, from any folder: `reduce` a command, `eval` `sim`.
printf '#!/bin/sh\ncd / && ! "%s" opt "$1" -passes=hello -o "%s/o.nashir"\n' "$nashc" "$tmp" >knows.sh
chmod +x knows.sh
ok "a command of reduce has the plugin" "$nashc" reduce net.nashir --test="$tmp/knows.sh {}" -o less.nashir \
    --load-plugin c-hello.so
cp c-hello.so a:b.so
ok "a colon in its name is told" has 'holds a colon' "$nashc" stats net.nashir --load-plugin a:b.so
printf 'nashc 1\ngraph @main(%%x: i4[1,1,1,4]) -> (%%y) {\n%%f: i4[1,4] = nn.reshape(%%x) shape=[1,4]
%%y: i6<-32..28>[1,4] = example.prefix_sum(%%f)\n}\n' >four.nashir
/usr/bin/python3 -c 'import numpy as n; x = n.ones((4, 1, 1, 4), "f4"); y = n.array([3, 3, 3, 0], "u1")
n.savez("four.npz", x_train=x, y_train=y, x_test=x, y_test=y)' 2>/dev/null && [ -e "$libdir/nashc/train.so" ] &&
    "$nashc" compile four.nashir -o four -q --load-plugin c-prefix_sum.so >/dev/null 2>&1 &&
    ok "eval of a design has the plugin" has 'top-1 75.00' "$nashc" eval four --data npz:four.npz \
        --load-plugin c-prefix_sum.so

mkdir plugins && cp c-hello.so plugins
ok "NASHC_PLUGIN_PATH" env NASHC_PLUGIN_PATH="$tmp/plugins" "$nashc" opt net.nashir -passes=hello -o -
ok "the listing names the owner" has hello "$nashc" list plugins --load-plugin "$tmp/c-hello.so"

# nashc-test fails where a test does, and where there is nothing to run.
mkdir failing && sed 's/2 nodes/3 nodes/' "$examples/hello_pass/hello.nashir" >failing/hello.nashir
ok "nashc-test sees a failure" refused 1 'error:' "$prefix/bin/nashc-test" --plugin c-hello.so failing
ok "nashc-test: no such plugin" refused 4 none.so "$prefix/bin/nashc-test" --plugin none.so failing

# A prefix may be moved, its own plugins with it.
mkdir -p "$libdir/nashc" && cp c-hello.so "$libdir/nashc"
ok "a plugin of the prefix" has 'plugin hello' env -i "$nashc" --version
ok "libnashc beside other software" no_plugins_of_others
moved=$tmp/elsewhere
mv "$prefix" "$moved"
ok "a moved prefix" has 'plugin hello' env -i "$moved/bin/nashc" --version
ok "nashc-test of a moved prefix" "$moved/bin/nashc-test" "$moved/share/nashc/examples/hello_pass"
ln -s "$moved" "a folder"
ok "a link to it" has 'plugin hello' env -i "./a folder/bin/nashc" --version
mv "$moved" "$prefix"
rm -r "$libdir/nashc"

# Plugins that must be refused, each with its own message.
cat >text.so <<'TXT'
not a shared object
TXT
printf 'int other; int other = 1;\n' >nosym.c && cc -shared -fPIC nosym.c -o nosym.so
sed 's/\.abi = NASHC_ABI/.abi = NASHC_ABI + 0x10000u/' "$src/plugins/examples/hello_pass/hello.c" >newer.c
sed 's/"hello"/"fold-constants"/; s/"Hello"/NULL/' "$src/plugins/examples/hello_pass/hello.c" >clash.c
sed 's/= "count the nodes of each graph"/= NULL/' "$src/plugins/examples/hello_pass/hello.c" >nohelp.c
sed 's/"hello"/"streamline"/; s/"Hello"/NULL/' "$src/plugins/examples/hello_pass/hello.c" >pipeline.c
sed 's/"Hello"/"Streamline"/; s/"hello"/"repeat"/' "$src/plugins/examples/hello_pass/hello.c" >grammar.c
sed 's/"Hello"/"He<b>llo"/' "$src/plugins/examples/hello_pass/hello.c" >markup.c
for p in newer clash nohelp pipeline grammar markup; do compile c $p.c $p.so; done
ok "no shared object" refused 1 text.so "$nashc" opt net.nashir --load-plugin "$tmp/text.so" -passes= -o -
ok "no such file" refused 4 missing.so "$nashc" opt net.nashir --load-plugin "$tmp/missing.so" -passes= -o -
ok "missing entry" refused 1 nashc_plugin_entry "$nashc" opt net.nashir --load-plugin "$tmp/nosym.so" -passes= -o -
ok "newer ABI" refused 1 'ABI 3.' "$nashc" opt net.nashir --load-plugin "$tmp/newer.so" -passes= -o -
wanted='the name "streamline" is taken by pipeline "streamline" from built-in'
ok "a pass with the name of a pipeline" refused 1 "$wanted" \
    "$nashc" opt net.nashir --load-plugin "$tmp/pipeline.so" -passes=streamline -o -
ok "a name of the grammar" refused 1 'the name "repeat" is taken by the grammar' \
    "$nashc" opt net.nashir --load-plugin "$tmp/grammar.so" -passes= -o -
ok "an alias that is no name" refused 1 'illegal name "He<b>llo"' \
    "$nashc" opt net.nashir --load-plugin "$tmp/markup.so" -passes= -o -
ok "name clash" refused 1 fold-constants "$nashc" opt net.nashir --load-plugin "$tmp/clash.so" -passes= -o -
ok "descriptor without help" refused 1 hello "$nashc" opt net.nashir --load-plugin "$tmp/nohelp.so" -passes= -o -

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
