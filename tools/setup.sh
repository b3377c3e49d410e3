#!/bin/sh
# setup.sh: install what building and testing need (Debian and its relatives), if it is missing.
# --small leaves out what only training and the executor cpu need, --check adds what the tests need.
set -eu

build='meson ninja-build gcc pkg-config protobuf-c-compiler libprotobuf-c-dev libjansson-dev libmd-dev
libzip-dev iverilog'
train='libjpeg-dev libpng-dev zlib1g-dev libopenblas-dev libopenmpi-dev openmpi-bin dataset-fashion-mnist'
check='g++ libcmocka-dev protobuf-compiler llvm-14-tools clang-14 clang-format-14
libclang-rt-14-dev verilator yosys python3 python3-numpy python3-venv libonnx-dev'

# The executor cpu is built where its library can be had.
optional='llvm-19-dev'

want="$build $train"
[ "${1:-}" = --check ] && want="$build $train $check"
[ "${1:-}" = --small ] && want=$build optional=

missing=
for p in $want; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
for p in $optional; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' && continue
    apt-cache show "$p" >/dev/null 2>&1 && missing="$missing $p"
done
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "setup.sh: error: please install:$missing" >&2
    exit 4
fi
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "setup.sh: installing$missing" >&2
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
