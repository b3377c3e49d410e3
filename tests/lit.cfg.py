# lit.cfg.py: how the text tests (*.nashir, *.test with RUN lines) are run; see docs/testing.md.
#
# Parameters: build, a build tree (default: build); or nashc, the folder of an installed nashc; llvm, the folder of
# FileCheck. Substitutions: %s the test, %t a temporary name, and in the source tree %data, %build, %tests.
import os
import lit.formats
import lit.util

config.name = "nashc"
config.test_format = lit.formats.ShTest(False)
config.suffixes = [".nashir", ".test"]
config.excludes = ["data"]

build = os.path.abspath(lit_config.params.get("build", "build"))
installed = lit_config.params.get("nashc")
llvm = lit_config.params.get("llvm", "/usr/lib/llvm-14/bin")
here = os.path.dirname(os.path.abspath(__file__))
if not installed:
    config.test_exec_root = os.path.join(build, "tests", "lit")
config.environment["PATH"] = os.pathsep.join(
    [installed or os.path.join(build, "tools"), here, llvm, os.environ["PATH"]])
config.environment["NO_COLOR"] = "1"
for name in ("NASHC_PLUGIN_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LD_LIBRARY_PATH"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
config.substitutions.append(("%data", os.path.join(here, "data")))
config.substitutions.append(("%build", build))
config.substitutions.append(("%tests", here))
if lit.util.which("iverilog", config.environment["PATH"]):
    config.available_features.add("iverilog")
if not installed and os.path.exists(os.path.join(build, "plugins", "llvm", "engine.so")):
    config.available_features.add("llvm")
if os.path.exists(os.path.join(build, "tests", "train", "golden")):
    config.available_features.add("train")
if config.environment.get("NASHC_TEST_PLUGINS"):
    config.available_features.add("plugins")
