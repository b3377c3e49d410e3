#!/bin/sh
# determinism.sh BUILD: same input, same options, same bytes: compiles one network in two folders, under two
# locales, with and without address-space randomisation, with one and with two threads, and compares all files.
set -u
build=$(cd "$1" && pwd)
data=$(cd "$(dirname "$0")/../data" && pwd)
nashc=$build/tools/nashc
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0
mkdir -p "$tmp/a" "$tmp/b/deeper/still"

same() { # NAME A B
    if diff -r "$2" "$3" >"$tmp/diff" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $1"
    else
        failed=$((failed + 1))
        echo "FAIL $1"
        head -n 20 "$tmp/diff"
    fi
}

for net in tfc_w2a2_fmnist tfc_w1a1_fmnist; do
    cp "$data/$net/model.onnx" "$tmp/a/net.onnx"
    cp "$data/$net/model.onnx" "$tmp/b/deeper/still/net.onnx"
    rm -rf "$tmp/a/hw" "$tmp/b/deeper/still/hw" "$tmp/b/plain"
    (cd "$tmp/a" && LC_ALL=C OMP_NUM_THREADS=1 setarch -R "$nashc" compile net.onnx -o hw -q) ||
        failed=$((failed + 1))
    (cd "$tmp/b/deeper/still" &&
        LC_ALL=C.UTF-8 TZ=Asia/Tokyo OMP_NUM_THREADS=2 "$nashc" compile net.onnx -o hw -q) ||
        failed=$((failed + 1))
    same "$net: folders, locale, address layout, threads" "$tmp/a/hw" "$tmp/b/deeper/still/hw"
    (cd / && LC_ALL=de_DE.UTF-8 "$nashc" compile "$tmp/a/net.onnx" -o "$tmp/b/plain" -q) ||
        failed=$((failed + 1))
    same "$net: absolute paths" "$tmp/a/hw" "$tmp/b/plain"
done
for i in 1 2; do
    mkdir -p "$tmp/s$i"
    "$nashc" opt "$tmp/a/net.onnx" -passes=streamline -o "$tmp/s$i/s.nashir" -q || failed=$((failed + 1))
done
same "streamlined text and blob" "$tmp/s1" "$tmp/s2"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
