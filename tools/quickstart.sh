#!/bin/sh
# quickstart.sh: from nothing to a Fashion-MNIST image classified by simulated Verilog.
# Installs what is missing, builds, compiles a shipped network from ONNX to Verilog, simulates it in
# Icarus on real images and compares with the model's own output.
set -eu
cd "$(dirname "$0")/.."

tools/setup.sh --small
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja -C build -j"$(nproc)" >build/build.log || { tail -n 40 build/build.log; exit 1; }

net=tests/data/tfc_w2a2_fmnist
out=build/quickstart
nashc=build/tools/nashc

echo "== compile $net/model.onnx to Verilog =="
$nashc compile $net/model.onnx -o $out --device Pynq-Z1 --clock-ns 10
echo
echo "== simulate it in Icarus Verilog on 8 images, compare with the model =="
$nashc sim $out --input $net/input.npy --output build/quickstart-scores.npy --expect $net/output.npy \
    --atol 0.0002 \
    --classes 'T-shirt,trouser,pullover,dress,coat,sandal,shirt,sneaker,bag,ankle boot'
echo
echo "The design is in $out: rtl/ (Verilog), tb/ (testbench), report/index.html (open it)."
