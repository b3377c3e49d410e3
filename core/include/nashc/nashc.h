/* nashc.h: all of the public interface. */
#ifndef NASHC_NASHC_H
#define NASHC_NASHC_H

#include <nashc/base.h>
#include <nashc/clones.h>
#include <nashc/compile.h>
#include <nashc/device.h>
#include <nashc/diag.h>
#include <nashc/eval.h>
#include <nashc/flow.h>
#include <nashc/genotype.h>
#include <nashc/hls.h>
#include <nashc/integer.h>
#include <nashc/io.h>
#include <nashc/ir.h>
#include <nashc/layout.h>
#include <nashc/lower.h>
#include <nashc/model.h>
#include <nashc/onnx.h>
#include <nashc/op.h>
#include <nashc/pass.h>
#include <nashc/plugin.h>
#include <nashc/ports.h>
#include <nashc/rewrite.h>
#include <nashc/running.h>
#include <nashc/tensor.h>
#include <nashc/type.h>
#include <nashc/verilog.h>

#endif
