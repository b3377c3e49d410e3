/* packing.c: driver/packing.h and driver/packing.py of a design: integers of the host to the bytes
 * of a stream and back. A beat is whole bytes, its first element in the low bits, the low byte
 * first.
 */
#include "compile.h"
#include <ctype.h>
#include <math.h>
#include <nashc/flow.h>
#include <nashc/ports.h>
#include <string.h>

static const char c_functions[] =
    "\n"
    "/* Elements in the order of ~_SHAPE to the bytes of all beats of a frame. */\n"
    "static inline void\n"
    "~_pack(const int64_t *x, uint8_t *bytes)\n"
    "{\n"
    "    memset(bytes, 0, ~_BYTES);\n"
    "    for (size_t i = 0; i < ~_ELEMENTS; i++) {\n"
    "        size_t at = i / ~_LANES * 8 * ~_BEAT_BYTES + i % ~_LANES * ~_BITS;\n"
    "        uint64_t bits = ~_BIPOLAR ? x[i] > 0 : (uint64_t)x[i];\n"
    "        for (unsigned b = 0; b < ~_BITS; b++, at++)\n"
    "            bytes[at / 8] |= (uint8_t)((bits >> b & 1) << at % 8);\n"
    "    }\n"
    "}\n"
    "\n"
    "/* The reverse. */\n"
    "static inline void\n"
    "~_unpack(const uint8_t *bytes, int64_t *x)\n"
    "{\n"
    "    for (size_t i = 0; i < ~_ELEMENTS; i++) {\n"
    "        size_t at = i / ~_LANES * 8 * ~_BEAT_BYTES + i % ~_LANES * ~_BITS;\n"
    "        uint64_t bits = 0;\n"
    "        for (unsigned b = 0; b < ~_BITS; b++, at++)\n"
    "            bits |= (uint64_t)(bytes[at / 8] >> at % 8 & 1) << b;\n"
    "        if (~_SIGNED && bits >> (~_BITS - 1) & 1)\n"
    "            bits |= UINT64_MAX << (~_BITS - 1);\n"
    "        x[i] = ~_BIPOLAR ? (bits ? 1 : -1) : (int64_t)bits;\n"
    "    }\n"
    "}\n";

static const char py_functions[] =
    "def _flat(x):\n"
    "    \"\"\"The numbers of nested lists, or of an array, in order.\"\"\"\n"
    "    if hasattr(x, \"tolist\"):\n"
    "        x = x.tolist()\n"
    "    if not isinstance(x, (list, tuple)):\n"
    "        return [int(x)]\n"
    "    return [v for part in x for v in _flat(part)]\n"
    "\n"
    "\n"
    "def pack(port, x):\n"
    "    \"\"\"Integers of a port, in the order of its shape, to the bytes of all beats of a "
    "frame.\"\"\"\n"
    "    x, out, n, bits = _flat(x), bytearray(), port[\"lanes\"], port[\"bits\"]\n"
    "    if len(x) != n * port[\"beats\"]:\n"
    "        raise ValueError(\"%d elements for %s, which has %d\" % (len(x), port[\"port\"], n * "
    "port[\"beats\"]))\n"
    "    for at in range(0, len(x), n):\n"
    "        word = 0\n"
    "        for lane, v in enumerate(x[at:at + n]):\n"
    "            if not port[\"least\"] <= v <= port[\"most\"]:\n"
    "                raise ValueError(\"%d does not fit %s\" % (v, port[\"port\"]))\n"
    "            v = v > 0 if port[\"encoding\"] == \"bipolar\" else v & (1 << bits) - 1\n"
    "            word |= int(v) << lane * bits\n"
    "        out += word.to_bytes(port[\"beat_bytes\"], \"little\")\n"
    "    return bytes(out)\n"
    "\n"
    "\n"
    "def unpack(port, data):\n"
    "    \"\"\"The reverse: a list of integers in the order of the shape.\"\"\"\n"
    "    out, bits, size = [], port[\"bits\"], port[\"beat_bytes\"]\n"
    "    if len(data) != size * port[\"beats\"]:\n"
    "        raise ValueError(\"%d bytes of %s, which has %d\" % (len(data), port[\"port\"], size "
    "* port[\"beats\"]))\n"
    "    for at in range(0, len(data), size):\n"
    "        word = int.from_bytes(data[at:at + size], \"little\")\n"
    "        for lane in range(port[\"lanes\"]):\n"
    "            v = word >> lane * bits & (1 << bits) - 1\n"
    "            if port[\"encoding\"] == \"bipolar\":\n"
    "                v = 1 if v else -1\n"
    "            elif port[\"encoding\"] == \"twos_complement\" and v >> bits - 1:\n"
    "                v -= 1 << bits\n"
    "            out.append(v)\n"
    "    return out\n"
    "\n"
    "\n"
    "def real(port, x):\n"
    "    \"\"\"What integers of a port stand for on the host.\"\"\"\n"
    "    def at(key, i):\n"
    "        return port[key][i % len(port[key])]\n"
    "    return [at(\"scale\", i) * (v - at(\"zero_point\", i)) + at(\"bias\", i)\n"
    "            for i, v in enumerate(_flat(x))]\n";

/* Writes s with name for each "~". */
static void
put(nashc_outfile *f, const char *s, const char *name)
{
    for (; *s; s++) {
        if (*s == '~')
            nashc_out_write(f, name, strlen(name));
        else
            nashc_out_write(f, s, 1);
    }
}

/* "IN0". */
static const char *
port_label(bool input, int i, nashc_arena *a)
{
    return nashc_arena_printf(a, "%s%d", input ? "IN" : "OUT", i);
}

/* The integers that the port can be given. */
static void
limits(const nashc_port *p, int64_t *lo, int64_t *hi)
{
    const nashc_type *t = nashc_value_type(p->v);

    *lo = t->lo;
    *hi = t->hi;
    if (!nashc_type_is_int(t) && !nashc_type_limits(&p->s.elem, lo, hi))
        *lo = *hi = 0;
}

typedef struct packing {
    const nashc_ports *ports;
    const nashc_graph *layers;
    const char *const *names; /* of layers */
    nashc_arena *a;
} packing;

/* --- C ---------------------------------------------------------------------------------------- */

static void
c_numbers(nashc_outfile *f, const char *name, const char *what, const double *x, int n)
{
    nashc_out_printf(f, "static const double %s_%s[%d] = {", name, what, n);
    for (int i = 0; i < n; i++)
        nashc_out_printf(f, "%s%.17g", i ? ", " : "", x[i]);
    nashc_out_printf(f, "};\n");
}

static void
c_port(nashc_outfile *f, const nashc_port *p, const char *name)
{
    const nashc_type *t = p->type;
    const char *encoding = nashc_port_encoding(p);

    nashc_out_printf(f, "\n/* %s: ", name);
    for (const char *s = p->name; *s; s++) /* a name may hold anything, the end of a comment too */
        nashc_out_printf(f, "%c", isalnum((unsigned char)*s) || strchr("_.-", *s) ? *s : '?');
    nashc_out_printf(
        f, ", axes %s; real = scale * (integer - zero point) + bias, one or one a channel */\n",
        p->layout);
    nashc_out_printf(f, "static const size_t %s_SHAPE[%d] = {", name, t->rank > 0 ? t->rank : 1);
    for (int i = 0; i < t->rank; i++)
        nashc_out_printf(f, "%s%lld", i ? ", " : "", (long long)t->dim[i]);
    nashc_out_printf(f, "%s};\n", t->rank > 0 ? "" : "1");
    nashc_out_printf(
        f,
        "#define %s_BITS       %uu\n#define %s_LANES      ((size_t)%lld)\n"
        "#define %s_BEATS      ((size_t)%lld)\n#define %s_ELEMENTS   (%s_LANES * %s_BEATS)\n"
        "#define %s_BEAT_BYTES ((size_t)%u)\n#define %s_BYTES      (%s_BEAT_BYTES * %s_BEATS)\n"
        "#define %s_SIGNED     %d\n#define %s_BIPOLAR    %d\n",
        name, p->s.elem.bits, name, (long long)p->s.lanes, name, (long long)p->s.beats, name, name,
        name, name, (p->s.width + 7) / 8, name, name, name, name,
        strcmp(encoding, "twos_complement") == 0, name, strcmp(encoding, "bipolar") == 0);
    c_numbers(f, name, "SCALE", p->scale, p->n);
    c_numbers(f, name, "ZERO_POINT", p->zero_point, p->n);
    c_numbers(f, name, "BIAS", p->bias, p->n);
    put(f, c_functions, name);
}

/* --- Python ----------------------------------------------------------------------------------- */

static void
py_numbers(nashc_outfile *f, const char *what, const double *x, int n)
{
    nashc_out_printf(f, ",\n    \"%s\": [", what);
    for (int i = 0; i < n; i++)
        nashc_out_printf(f, "%s%.17g", i ? ", " : "", x[i]);
    nashc_out_printf(f, "]");
}

/* A name inside quotes, the same text as in the manifest. */
static void
py_text(nashc_outfile *f, const char *s)
{
    char piece[8];

    while (*s) {
        s += nashc_text_piece(s, piece);
        for (const char *c = piece; *c; c++)
            nashc_out_printf(f, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
}

static void
py_port(nashc_outfile *f, const nashc_port *p, const char *name)
{
    int64_t lo, hi;

    limits(p, &lo, &hi);
    nashc_out_printf(f, "%s = {\n    \"port\": \"%s\",\n    \"name\": \"", name, name);
    py_text(f, p->name);
    nashc_out_printf(f, "\",\n    \"layout\": \"%s\",\n    \"shape\": (", p->layout);
    for (int i = 0; i < p->type->rank; i++)
        nashc_out_printf(f, "%lld,%s", (long long)p->type->dim[i],
                         i + 1 < p->type->rank ? " " : "");
    nashc_out_printf(f,
                     "),\n    \"encoding\": \"%s\",\n    \"bits\": %u,\n    \"least\": %lld,\n"
                     "    \"most\": %lld,\n    \"lanes\": %lld,\n    \"beats\": %lld,\n"
                     "    \"beat_bytes\": %u",
                     nashc_port_encoding(p), p->s.elem.bits, (long long)lo, (long long)hi,
                     (long long)p->s.lanes, (long long)p->s.beats, (p->s.width + 7) / 8);
    py_numbers(f, "scale", p->scale, p->n);
    py_numbers(f, "zero_point", p->zero_point, p->n);
    py_numbers(f, "bias", p->bias, p->n);
    nashc_out_printf(f, ",\n}\n");
}

/* --- weights ---------------------------------------------------------------------------------- */

static const char c_weights[] =
    "\n"
    "/* A matrix of ~_SHAPE, rows first, to the bytes of all lines. */\n"
    "static inline void\n"
    "~_pack(const int64_t *w, uint8_t *bytes)\n"
    "{\n"
    "    memset(bytes, 0, ~_BYTES);\n"
    "    for (size_t e = 0; e < ~_LANES * ~_LINES; e++) {\n"
    "        size_t at = e / ~_LANES * 8 * ~_LINE_BYTES + e % ~_LANES * ~_BITS, i = e, from = 0;\n"
    "        for (int k = 0; k < 4; i /= ~_ORDER[k++][0])\n"
    "            from += i % ~_ORDER[k][0] * ~_ORDER[k][1];\n"
    "        uint64_t bits = ~_BIPOLAR ? w[from] > 0 : (uint64_t)w[from];\n"
    "        for (unsigned b = 0; b < ~_BITS; b++, at++)\n"
    "            bytes[at / 8] |= (uint8_t)((bits >> b & 1) << at % 8);\n"
    "    }\n"
    "}\n";

static const char py_weights[] =
    "\n\n"
    "def pack_weights(layer, w):\n"
    "    \"\"\"A matrix of a layer's shape to the bytes of its lines: what AXI-Lite writes from "
    "address "
    "0 on, or a\n"
    "    round of the stream.\"\"\"\n"
    "    w, out, n, bits = _flat(w), bytearray(), layer[\"lanes\"], layer[\"bits\"]\n"
    "    if len(w) != layer[\"shape\"][0] * layer[\"shape\"][1]:\n"
    "        raise ValueError(\"%d weights for %s\" % (len(w), layer[\"layer\"]))\n"
    "    for line in range(layer[\"lines\"]):\n"
    "        word = 0\n"
    "        for lane in range(n):\n"
    "            e, at = line * n + lane, 0\n"
    "            for count, stride in layer[\"order\"]:\n"
    "                at += e % count * stride\n"
    "                e //= count\n"
    "            v = w[at]\n"
    "            if not layer[\"least\"] <= v <= layer[\"most\"]:\n"
    "                raise ValueError(\"%d does not fit %s\" % (v, layer[\"layer\"]))\n"
    "            v = v > 0 if layer[\"encoding\"] == \"bipolar\" else v & (1 << bits) - 1\n"
    "            word |= int(v) << lane * bits\n"
    "        out += word.to_bytes(layer[\"line_bytes\"], \"little\")\n"
    "    return bytes(out)\n"
    "\n"
    "\n"
    "def words(data):\n"
    "    \"\"\"Bytes as the words of 32 bits that AXI-Lite writes, the first to address 0, the "
    "next to "
    "4.\"\"\"\n"
    "    return [int.from_bytes(data[i:i + 4], \"little\") for i in range(0, len(data), 4)]\n";

/* Bytes of a line: words of 32 bits, or a beat. */
static int64_t
line_bytes(const nashc_weights *w)
{
    return w->written ? 4 * nashc_flow_weight_words(w) : (w->lanes * w->elem.bits + 7) / 8;
}

static void
c_layer(nashc_outfile *f, const nashc_node *n, const nashc_weights *w, const char *layer,
        const char *name)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, w->operand));

    nashc_out_printf(f,
                     "\n/* %s: weights of %s, %s; any of %lld..%lld */\n"
                     "static const size_t %s_SHAPE[2] = {%lld, %lld};\n"
                     "static const size_t %s_ORDER[4][2] = {",
                     name, layer, w->written ? "over AXI-Lite" : "a stream", (long long)w->elem.lo,
                     (long long)w->elem.hi, name, (long long)t->dim[0], (long long)t->dim[1], name);
    for (int k = 0; k < NASHC_WEIGHT_LOOPS; k++)
        nashc_out_printf(f, "%s{%lld, %lld}", k ? ", " : "", (long long)w->count[k],
                         (long long)w->stride[k]);
    nashc_out_printf(f,
                     "};\n#define %s_BITS       %uu\n#define %s_LANES      ((size_t)%lld)\n"
                     "#define %s_LINES      ((size_t)%lld)\n#define %s_LINE_BYTES ((size_t)%lld)\n"
                     "#define %s_BYTES      (%s_LINE_BYTES * %s_LINES)\n#define %s_BIPOLAR    %d\n",
                     name, w->elem.bits, name, (long long)w->lanes, name, (long long)w->lines, name,
                     (long long)line_bytes(w), name, name, name, name, w->elem.kind == NASHC_K_BIP);
    put(f, c_weights, name);
}

static void
py_layer(nashc_outfile *f, const nashc_node *n, const nashc_weights *w, const char *layer,
         const char *name)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, w->operand));
    const char *encoding = w->elem.kind == NASHC_K_BIP      ? "bipolar"
                           : nashc_type_is_signed(&w->elem) ? "twos_complement"
                                                            : "unsigned";

    nashc_out_printf(f,
                     "%s = {\n    \"layer\": \"%s\",\n    \"access\": \"%s\",\n"
                     "    \"shape\": (%lld, %lld),\n    \"encoding\": \"%s\",\n    \"bits\": %u,\n"
                     "    \"least\": %lld,\n    \"most\": %lld,\n    \"lanes\": %lld,\n"
                     "    \"lines\": %lld,\n    \"line_bytes\": %lld,\n    \"order\": (",
                     name, layer, w->written ? "axilite" : "stream", (long long)t->dim[0],
                     (long long)t->dim[1], encoding, w->elem.bits, (long long)w->elem.lo,
                     (long long)w->elem.hi, (long long)w->lanes, (long long)w->lines,
                     (long long)line_bytes(w));
    for (int k = 0; k < NASHC_WEIGHT_LOOPS; k++)
        nashc_out_printf(f, "%s(%lld, %lld)", k ? ", " : "", (long long)w->count[k],
                         (long long)w->stride[k]);
    nashc_out_printf(f, "),\n}\n");
}

/* Calls layer for each that has weights from outside, labelled W0, W1 ... in order. How many? */
static int
each_layer(nashc_outfile *f, const packing *z,
           void (*layer)(nashc_outfile *, const nashc_node *, const nashc_weights *, const char *,
                         const char *))
{
    nashc_weights w;
    int k = 0;

    NASHC_EACH_NODE(z->layers, n)
    {
        if (!nashc_flow_weights_free(n))
            continue;
        nashc_flow_weights(n, &w);
        const char *label = nashc_arena_printf(z->a, "W%d", k++);
        layer(f, n, &w, z->names[nashc_node_id(n)], label ? label : "W");
    }
    return k;
}

/* --- files ------------------------------------------------------------------------------------ */

static void
write_c(nashc_outfile *f, const packing *p)
{
    const nashc_ports *z = p->ports;

    nashc_out_printf(
        f, "/* packing.h: frames of integers to the bytes of the design's streams and back. A beat "
           "is\n"
           " * whole bytes, its first element in the low bits, the low byte first. Elements lie in "
           "the\n"
           " * order of the shape, the last axis (channels) fastest. */\n"
           "#ifndef PACKING_H\n#define PACKING_H\n\n#include <stddef.h>\n#include <stdint.h>\n"
           "#include <string.h>\n");
    for (int i = 0; i < z->n_in + z->n_out; i++) {
        bool input = i < z->n_in;
        const char *name = port_label(input, input ? i : i - z->n_in, p->a);
        c_port(f, input ? &z->in[i] : &z->out[i - z->n_in], name ? name : "PORT");
    }
    each_layer(f, p, c_layer);
    nashc_out_printf(f, "\n#endif\n");
}

static void
write_py(nashc_outfile *f, const packing *p)
{
    const nashc_ports *z = p->ports;

    nashc_out_printf(f,
                     "\"\"\"Frames of integers to the bytes of the design's streams and back.\n\n"
                     "A beat is whole bytes, its first element in the low bits, the low byte "
                     "first. Elements lie in\n"
                     "the order of the shape, the last axis (channels) fastest:\n\n"
                     "    data = pack(IN0, x)\n    y = real(OUT0, unpack(OUT0, data))\n\"\"\"\n");
    for (int i = 0; i < z->n_in + z->n_out; i++) {
        bool input = i < z->n_in;
        const char *name = port_label(input, input ? i : i - z->n_in, p->a);
        py_port(f, input ? &z->in[i] : &z->out[i - z->n_in], name ? name : "PORT");
    }
    bool weights = each_layer(f, p, py_layer) > 0;
    nashc_out_printf(f, "\n\n%s%s", py_functions, weights ? py_weights : "");
}

/* --- entry ------------------------------------------------------------------------------------ */

nashc_status
nashc_design_packing(const nashc_ports *ports, const nashc_graph *layers, const char *dir,
                     nashc_arena *a, nashc_diag *d)
{
    void (*const writers[])(nashc_outfile *, const packing *) = {write_c, write_py};
    const packing z = {ports, layers, nashc_flow_names(layers, a), a};
    static const char *const names[] = {"driver/packing.h", "driver/packing.py"};
    nashc_status s = z.names ? nashc_design_folder(dir, "driver", a, d) : nashc_enomem(d);

    for (size_t i = 0; i < NASHC_COUNT(names) && s == NASHC_OK; i++) {
        const char *path = nashc_arena_printf(a, "%s/%s", dir, names[i]);
        nashc_outfile *f = path ? nashc_out_open(path, d) : NULL;
        if (!f)
            return path ? NASHC_EIO : nashc_enomem(d);
        writers[i](f, &z);
        s = nashc_out_commit(f, d);
    }
    return s;
}
