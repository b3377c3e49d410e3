"""ops_q.py: cases of quantisers, thresholds, tables and calls."""
import numpy as np
from op_case import CASES, F32, bits, case, floats, ftype, ints

MODES = {
    "round": np.rint, "ceil": np.ceil, "floor": np.floor, "down": np.trunc,
    "up": lambda u: np.sign(u) * np.ceil(np.abs(u)),
    "half_up": lambda u: np.sign(u) * np.floor(np.abs(u) + 0.5),
    "half_down": lambda u: np.sign(u) * np.ceil(np.abs(u) - 0.5),
    "dpu": lambda u: np.where((u < 0) & (u - np.floor(u) == 0.5), np.ceil(u), np.rint(u)),
}
TABLE = {5.5: (6, 6, 5, 6, 5, 6, 5), 2.5: (2, 3, 2, 3, 2, 3, 2), 1.6: (2, 2, 1, 2, 1, 2, 2), 1.1: (1, 2, 1, 2, 1, 1, 1),
         -1.1: (-1, -1, -2, -2, -1, -1, -1), -1.6: (-2, -1, -2, -2, -1, -2, -2), -2.5: (-2, -2, -3, -3, -2, -3, -2),
         -5.5: (-6, -5, -6, -6, -5, -6, -5)}
S0 = {"s": ("f32[]", 1.0), "z": ("f32[]", 0.0)}
for col, mode in enumerate(["round", "ceil", "floor", "up", "down", "half_up", "half_down"]):
    case(f"quant-table-{mode}", f"q.quant(%x, %s, %z) qmin=-8 qmax=7 rounding={mode} codes=true",
         {"x": (ftype(1, 8), F32([list(TABLE)]))}, [[[r[col] for r in TABLE.values()]]], ["i4[1,8]"], S0)
grid = (np.arange(-48, 48) / 4).astype(F32).reshape(1, 96)


def quant(x, s, z, lo, hi, mode="round", before=False, codes=False):
    """In double: `nashc run` does not round between the steps; tests/unit/quant.c has those that do."""
    s, z = np.asarray(F32(s), np.float64), np.asarray(F32(z), np.float64)
    u = x.astype(np.float64) / s
    if before:
        q = np.clip(MODES[mode](u) + z, lo, hi)
    elif mode == "sign":
        q = np.where(u + z >= 0, 1, -1)
    else:
        q = MODES[mode](np.clip(u + z, lo, hi))
    return q if codes else ((q - z) * s).astype(F32)


for mode in [*MODES, "sign"]:
    lo, hi = (-1, 1) if mode == "sign" else (-7, 7)
    for s, z, before in [(0.5, 0.0, False), (0.3, 1.0, False), (0.7, 1.0, True)]:
        if mode == "sign" and before:
            continue
        kw = f"qmin={lo} qmax={hi} rounding={mode}" + (" round_before_zp=true" if before else "")
        par = {"s": ("f32[]", float(F32(s))), "z": ("f32[]", z)}
        x = {"x": (ftype(1, 96), grid)}
        case(f"quant-{mode}-{s}-{before}", f"q.quant(%x, %s, %z) {kw}", x, [quant(grid, s, z, lo, hi, mode, before)],
             [ftype(1, 96)], par)
        case(f"quant-{mode}-{s}-{before}-codes", f"q.quant(%x, %s, %z) {kw} codes=true", x,
             [quant(grid, s, z, lo, hi, mode, before, True)], ["bip[1,96]" if mode == "sign" else "i4<-7..7>[1,96]"],
             par)
big = floats(1, 3, 400, scale=30.0)
sch, zch = np.array([0.1, 0.017, 3.3], F32).reshape(3, 1), np.array([3, -5, 0], F32).reshape(3, 1)
case("quant-per-channel", "q.quant(%x, %s, %z) qmin=0 qmax=255", {"x": (ftype(1, 3, 400), big)},
     [quant(big, sch, zch, 0, 255)], [ftype(1, 3, 400)], {"s": ("f32[3,1]", sch), "z": ("f32[3,1]", zch)})
u8 = np.arange(256).reshape(1, 256)
case("quant-integers", "q.quant(%x, %s, %z) qmin=0 qmax=15", {"x": ("u8[1,256]", u8)},
     [quant(u8.astype(F32), 17.3, 0, 0, 15)], [ftype(1, 256)], {"s": ("f32[]", float(F32(17.3))), "z": ("f32[]", 0.0)})
w64 = big.astype(np.float64) / 0.1
case("quant-weak-f64", "q.quant(%x, %s, %z) qmin=-128 qmax=127", {"x": (ftype(1, 3, 400), big)},
     [(np.rint(np.clip(w64, -128, 127)).astype(np.float64) * 0.1).astype(F32)], [ftype(1, 3, 400)],
     {"s": ("f64[]", 0.1), "z": ("f32[]", 0.0)})
xq = F32([[-1.5, -0.0, 0.0, 1e-30, -1e-30, 2.0]])
case("bipolar_quant", "q.bipolar_quant(%x, %s)", {"x": (ftype(1, 6), xq)}, [np.where(xq >= 0, F32(0.3), -F32(0.3))],
     [ftype(1, 6)], {"s": ("f32[]", float(F32(0.3)))})
case("bipolar_quant-negative", "q.bipolar_quant(%x, %s)", {"x": (ftype(1, 6), xq)}, [np.where(xq >= 0, -0.5, 0.5)],
     [ftype(1, 6)], {"s": ("f32[]", -0.5)})
case("bipolar_quant-codes", "q.bipolar_quant(%x, %s) codes=true", {"x": (ftype(1, 6), xq)}, [np.where(xq >= 0, 1, -1)],
     ["bip[1,6]"], {"s": ("f32[]", 0.5)})
q8 = ints(0, 255, 1, 3, 4)
case("dequant", "q.dequant(%x, %s, %z)", {"x": ("u8[1,3,4]", q8)},
     [((q8 - 3) * sch.astype(np.float64)).astype(F32)], [ftype(1, 3, 4)], {"s": ("f32[3,1]", sch), "z": ("u8[]", 3)})
tx = (ints(-120, 120, 1, 64) * 0.25).astype(F32)
for mode in MODES:
    case(f"trunc-1-{mode}", f"q.trunc(%x, %s, %z) in_bits=8 out_bits=5 rounding={mode}", {"x": (ftype(1, 64), tx)},
         [MODES[mode](np.rint(tx / 0.25) / 8) * 0.25], [ftype(1, 64)], {"s": ("f32[]", 0.25), "z": ("f32[]", 0.0)})
    case(f"trunc-2-{mode}", f"q.trunc(%x, %s, %z, %o) in_bits=8 out_bits=4 narrow=true rounding={mode}",
         {"x": (ftype(1, 64), tx)}, [(MODES[mode](np.clip(np.rint(tx / 0.25) / 8, -7, 7)) * F32(2.1)).astype(F32)],
         [ftype(1, 64)], {"s": ("f32[]", 0.25), "z": ("f32[]", 0.0), "o": ("f32[]", float(F32(2.1)))})
case("trunc-2-unsigned", "q.trunc(%x, %s, %z, %o) in_bits=8 out_bits=4 signed=false rounding=round",
     {"x": (ftype(1, 64), tx)}, [np.rint(np.clip(np.rint(tx / 0.25) / 4, 0, 15))], [ftype(1, 64)],
     {"s": ("f32[]", 0.25), "z": ("f32[]", 0.0), "o": ("f32[]", 1.0)})


def float_quant(x, s, e, m, b, top=np.inf, mode="round"):
    v = (x / F32(s)).astype(np.float64)
    lam = np.maximum(np.floor(np.log2(np.abs(v) + 2.0**-126)) - m, 1 - b - m)
    q = 2**lam * MODES[mode](v / 2**lam)
    big_ = min((2 - 2.0**-m) * 2.0**(2**e - 1 - b), top)
    return (np.clip(q, -big_, big_) * s).astype(F32)


fx = np.concatenate([floats(1, 200, scale=600.0), floats(1, 200, scale=0.05), F32([[0, 448, 449, 1e9, -1e-9]])], 1)
for mode in MODES:
    case(f"float_quant-{mode}", f"q.float_quant(%x, %s) exponent=4 mantissa=3 bias=7 max=448 rounding={mode}",
         {"x": (ftype(1, 405), fx)}, [float_quant(fx, 1.0, 4, 3, 7, 448, mode)], [ftype(1, 405)],
         {"s": ("f32[]", 1.0)})
case("float_quant-e5m2", "q.float_quant(%x, %s) exponent=5 mantissa=2 bias=15", {"x": (ftype(1, 405), fx)},
     [float_quant(fx, 0.5, 5, 2, 15)], [ftype(1, 405)], {"s": ("f32[]", 0.5)})
case("float_quant-inf", "q.float_quant(%x, %s) exponent=4 mantissa=3 bias=7 max=448 saturation=false has_inf=true",
     {"x": (ftype(1, 3), F32([[1000, -1000, 3]]))}, [np.array([[np.inf, -np.inf, 3]])], [ftype(1, 3)],
     {"s": ("f32[]", 1.0)})

# --- thresholds, tables, calls -----------------------------------------------------------------------------------

T = np.sort(ints(-20, 20, 3, 7), 1)
xt = ints(-30, 30, 1, 3, 50)
cnt = (xt[:, :, :, None] >= T[None, :, None, :]).sum(-1)
XM = {"x": ("i6[1,3,50]", xt)}
case("multithreshold", "q.multithreshold(%x, %t)", XM, [cnt], ["u3[1,3,50]"], {"t": ("i6[3,7]", T)})
case("multithreshold-bias", "q.multithreshold(%x, %t) out_bias=-4", XM, [cnt - 4], ["i3<-4..3>[1,3,50]"],
     {"t": ("i6[3,7]", T)})
CASES[-1] = (CASES[-1][0], CASES[-1][1].replace("i3<-4..3>", "i3"), *CASES[-1][2:])
case("multithreshold-scale", "q.multithreshold(%x, %t) out_bias=3 out_scale=-2", XM, [3 - 2 * cnt],
     ["i5<-11..3>[1,3,50]"], {"t": ("i6[3,7]", T)})
dirs = np.array([1, -1, 1])
lt = (xt[:, :, :, None] < T[None, :, None, :]).sum(-1)
case("multithreshold-direction", "q.multithreshold(%x, %t, %d)", XM,
     [np.where(dirs.reshape(1, 3, 1) > 0, cnt, lt)], ["u3[1,3,50]"], {"t": ("i6[3,7]", T), "d": ("bip[3]", dirs)})
case("multithreshold-bipolar", "q.multithreshold(%x, %t) out_bias=-1 out_scale=2", XM,
     [np.where(xt >= 2, 1, -1)], ["bip[1,3,50]"], {"t": ("i3[1,1]", 2)})
xl = xt.transpose(0, 2, 1)
case("multithreshold-nwc", "q.multithreshold(%x, %t)", {"x": ("i6[1,50,3]NWC", xl)}, [cnt.transpose(0, 2, 1)],
     ["u3[1,50,3]NWC"], {"t": ("i6[3,7]", T)})
tf = np.array([[-np.inf, -0.5, 0.1, 0.1, np.inf]])
xf = np.concatenate([floats(1, 60), F32([[0.1, np.nan, -0.5, np.inf, -np.inf]])], 1)
case("multithreshold-float", "q.multithreshold(%x, %t)", {"x": (ftype(1, 65), xf)},
     [(xf[:, :, None].astype(np.float64) >= tf.reshape(1, 1, 5)).sum(-1)], ["u3<0..5>[1,65]"], {"t": ("f64[1,5]", tf)})
wide = np.array([[2**53, 2**53 + 1, -2**60, 2**62]])
case("multithreshold-wide", "q.multithreshold(%x, %t)", {"x": ("i64[1,4]", wide)},
     [[[1, 2, 0, 2]]], ["u2<0..2>[1,4]"], {"t": ("i64[1,2]", np.array([2**53, 2**53 + 1]))})
tab = ints(-9, 9, 3, 64)
case("lut", "q.lut(%x, %t) lo=-32", XM, [np.take_along_axis(tab[:, None, :].repeat(50, 1),
                                                            (xt[0] + 32)[:, :, None], 2)[None, :, :, 0]],
     [bits(int(tab.min()), int(tab.max())) + "[1,3,50]"], {"t": ("i5[3,64]", tab)})
case("lut-float", "q.lut(%x, %t) lo=0", {"x": ("u2[1,5]", np.array([[0, 3, 1, 2, 2]]))},
     [F32([[0.5, -2.5, 1.5, 0.25, 0.25]])], [ftype(1, 5)], {"t": ("f32[1,4]", F32([0.5, 1.5, 0.25, -2.5]))})
rm, ra = np.array([37, -21, 0]).reshape(1, 3, 1), np.array([-100, 50, 77]).reshape(1, 3, 1)
rq = np.clip((xt * rm + ra) >> 4, -40, 60)
RK = {"m": ("i7[3]", rm), "a": ("i8[3]", ra)}
case("requant", "q.requant(%x, %m, %a) shift=4 qmin=-40 qmax=60", {"x": ("i6<-30..30>[1,3,50]", xt)}, [rq],
     ["i7<-40..60>[1,3,50]"], RK)
case("requant-nwc", "q.requant(%x, %m, %a) shift=4 qmin=-40 qmax=60",
     {"x": ("i6<-30..30>[1,50,3]NWC", xt.transpose(0, 2, 1))}, [rq.transpose(0, 2, 1)], ["i7<-40..60>[1,50,3]NWC"], RK)
rt = np.clip(((xt * 4 + 4) >> 3) - (((xt * 4 + 4) % 8 == 0) & ((xt * 4 + 4) // 8 % 2 == 1)), -12, 13)
case("requant-even", "q.requant(%x, %m, %a) shift=3 qmin=-12 qmax=13 ties_even=true",
     {"x": ("i6<-30..30>[1,3,50]", xt)}, [rt], ["i5<-12..13>[1,3,50]"], {"m": ("u3[1]", 4), "a": ("u3[1]", 4)})
assert (rt == np.clip(np.round(xt / 2), -12, 13)).all()
case("requant-scalar", "q.requant(%x, %m, %a) shift=0 qmin=-1000 qmax=1000", {"x": ("i6<-30..30>[1,3,50]", xt)},
     [3 - 7 * xt], ["i9<-207..213>[1,3,50]"], {"m": ("i4[1]", -7), "a": ("u2[1]", 3)})
rw = np.array([[-2**40, 2**40, -1, 0, 1]])
case("requant-wide", "q.requant(%x, %m, %a) shift=62 qmin=-3 qmax=3",
     {"x": (f"i42<{-2**40}..{2**40}>[1,5]", rw)},
     [np.array([[-3 if v * 2**22 // 2**62 < -3 else int(v) * 2**22 // 2**62 for v in rw[0]]])], ["i2<-1..1>[1,5]"],
     {"m": ("u23[1]", 2**22), "a": ("u1[1]", 0)})
CASES.append(("call", """nashc 1

graph @twice(%v: i4[1,3]) -> (%w, %s) {
  %w: i5<-16..14>[1,3] = nn.add(%v, %v)
  %s: u7<0..64>[1,3] = nn.mul(%v, %v)
}

graph @main(%x: i4[1,3]) -> (%y, %z) {
  %y: i5<-16..14>[1,3], %z: u7<0..64>[1,3] = call(%x) graph=@twice
}
""", {"x": np.array([[-8, 0, 7]])}, [[[-16, 0, 14]], [[64, 0, 49]]], 0.0))
