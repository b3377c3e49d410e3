"""ops_hw.py: cases of the hardware layers."""
import numpy as np
from op_case import case, ints, lit

def bordered(x, frames, h, w, pads, gaps, value):
    """x [frames*h*w, C] with a border, and gaps between pixels, of value [C] or a scalar."""
    c, (sh, sw) = x.shape[-1], (g + 1 for g in gaps)
    out = np.empty((frames, pads[0] + (h - 1) * sh + 1 + pads[2], pads[1] + (w - 1) * sw + 1 + pads[3], c), np.int64)
    out[:] = np.asarray(value).reshape(-1)
    out[:, pads[0]:pads[0] + h * sh:sh, pads[1]:pads[1] + w * sw:sw][:, :h, :w] = x.reshape(frames, h, w, c)
    return out.reshape(-1, c)


def pad_case(name, t, x, frames, dim, pads, p, out, attrs="", gaps=(0, 0)):
    y = bordered(x, frames, *dim, pads, gaps, p[1])
    tail = f" gaps={lit(gaps)}" if any(gaps) else ""
    case(f"fmpadding-{name}", f"hw.fmpadding(%x, %p){attrs} dim={lit(dim)} pads={lit(pads)}{tail}",
         {"x": (f"{t}[{x.shape[0]},{x.shape[1]}]", x)}, [y], [f"{out}[{y.shape[0]},{y.shape[1]}]"], {"p": p})


u, b_, t_ = ints(0, 15, 12, 4), 2 * ints(0, 1, 6, 3) - 1, ints(-1, 1, 6, 1)
pad_case("zero", "u4", u, 1, (3, 4), (1, 0, 2, 3), ("u1<0..0>[1,1]", [[0]]), "u4", " simd=2")
pad_case("channels", "u4", u, 2, (2, 3), (0, 1, 0, 2), ("i6<-17..20>[4,1]", [[-17], [3], [20], [0]]), "i6<-17..20>")
pad_case("narrow", "u4<3..9>", np.clip(u, 3, 9), 1, (12, 1), (0, 0, 1, 0), ("u1<0..0>[1,1]", [[0]]), "u4<0..9>")
pad_case("bipolar", "bip", b_, 1, (2, 3), (2, 1, 0, 0), ("u1<0..0>[1,1]", [[0]]), "i2<-1..1>", " simd=3")
pad_case("bipolar-kept", "bip", b_, 3, (1, 2), (1, 1, 1, 1), ("i2<-1..1>[3,1]", [[-1], [1], [-1]]), "bip")
pad_case("ternary", "ter", t_, 1, (6, 1), (1, 0, 0, 0), ("u1<1..1>[1,1]", [[1]]), "ter")
pad_case("pixel", "i4", ints(-8, 7, 1, 5), 1, (1, 1), (3, 0, 0, 1), ("u4<9..9>[1,1]", [[9]]), "i5<-8..9>")
pad_case("gaps", "u4", u, 1, (3, 4), (0, 0, 0, 0), ("u1<0..0>[1,1]", [[0]]), "u4", " simd=2", (1, 2))
pad_case("gaps-border", "u4", u, 2, (2, 3), (1, 3, 2, 4), ("i6<-17..20>[4,1]", [[-17], [3], [20], [0]]), "i6<-17..20>",
         "", (3, 0))


def concat_case(name, x, z, parts, out, attrs=""):
    r = np.hstack([x[1].reshape(-1, parts[0]), z[1].reshape(-1, parts[1])])
    case(f"hw-concat-{name}", f"hw.concat(%x, %z){attrs}", {"x": x, "z": z}, [r], [out])


concat_case("channels", ("u4[12,4]", u), ("u2[12,2]", ints(0, 3, 12, 2)), (4, 2), "u4[12,6]", " pe=2 parts=[4,2]")
concat_case("rows", ("i4[4,3]", ints(-8, 7, 4, 3)), ("i4[2,3]", ints(-8, 7, 2, 3)), (6, 3), "i4[6,3]",
            " pe=3 parts=[6,3] channels=3")
concat_case("bipolar", ("bip[6,3]", b_), ("bip[6,1]", b_[:, :1]), (3, 1), "bip[6,4]", " parts=[3,1]")
concat_case("bipolar-wider", ("bip[6,3]", b_), ("u3[6,1]", ints(0, 7, 6, 1)), (3, 1), "i4<-1..7>[6,4]",
            " parts=[3,1]")
concat_case("ternary", ("bip[1,6]", b_[:2].reshape(1, 6)), ("ter[6,1]", t_), (2, 2),
            "i2<-1..1>[3,4]", " pe=2 parts=[2,2]")
concat_case("signs", ("u4[12,4]", u), ("i2[12,4]", ints(-2, 1, 12, 4)), (4, 4), "i5<-2..15>[12,8]", " parts=[4,4]")
case("hw-split-channels", "hw.split(%x) parts=[1,3]", {"x": ("u4[12,4]", u)}, [u[:, :1], u[:, 1:]],
     ["u4[12,1]", "u4[12,3]"])
case("hw-split-rows", "hw.split(%x) pe=4 parts=[8,4] channels=[4,2]", {"x": ("u4[12,4]", u)},
     [u.reshape(4, 3, 4)[:, :2], u.reshape(4, 3, 4)[:, 2]], ["u4[8,4]", "u4[8,2]"])
case("hw-split-bipolar", "hw.split(%x) pe=3 parts=[6,3] channels=[1,0]", {"x": ("bip[6,3]", b_)},
     [b_.reshape(2, 9)[:, :6], b_.reshape(2, 9)[:, 6:]], ["bip[12,1]", "bip[2,3]"])
