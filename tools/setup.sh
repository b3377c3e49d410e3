#!/bin/sh
# setup.sh: install what building and testing need (Debian and its relatives), if it is missing.
# --small leaves out what only training needs, --check adds what the tests need.
set -eu

build='meson ninja-build gcc pkg-config protobuf-c-compiler libprotobuf-c-dev libjansson-dev libmd-dev
libzip-dev iverilog'
train='libjpeg-dev libpng-dev zlib1g-dev libopenblas-dev dataset-fashion-mnist'
check='g++ libcmocka-dev protobuf-compiler llvm-14-tools clang-14 clang-format-14
libclang-rt-14-dev verilator yosys python3 python3-numpy python3-venv libonnx-dev'

want="$build $train"
[ "${1:-}" = --check ] && want="$build $train $check"
[ "${1:-}" = --small ] && want=$build

missing=
for p in $want; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
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
