/* faults.c: a plugin of which every part fails in a way of its own; see faults.sh. */
#include <nashc/nashc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN(name) static nashc_status name(nashc_run *r, nashc_graph *g)

static const char *const no_string = NULL;

/* --- passes ---------------------------------------------------------------------------------- */

RUN(run_segv)
{
    (void)r;
    NASHC_EACH_NODE(g, n)
    {
        if (nashc_node_next(n) == NULL) /* at the last node */
            return (nashc_status) * (volatile const char *)no_string;
    }
    return NASHC_OK;
}

RUN(run_fpe)
{
    volatile int zero = nashc_graph_n_nodes(g) * 0;
    (void)r;
    return (nashc_status)(7 / zero);
}

RUN(run_abort)
{
    (void)r;
    (void)g;
    abort();
}

RUN(run_exit)
{
    (void)r;
    (void)g;
    exit(0);
}

RUN(run_silent)
{
    (void)r;
    (void)g;
    return NASHC_EINPUT;
}

RUN(run_odd)
{
    (void)r;
    (void)g;
    return (nashc_status)77;
}

RUN(run_endless)
{
    (void)r;
    (void)g;
    for (;;)
        pause();
    return NASHC_OK;
}

RUN(run_overflow)
{
    volatile char big[1 << 16];
    big[0] = 0;
    return big[0] ? NASHC_OK : run_overflow(r, g);
}

/* Another value than before: nn.mul becomes nn.add. */
static bool
to_add(nashc_rw *rw, nashc_node *mul)
{
    nashc_value *in[2] = {nashc_node_in(mul, 0), nashc_node_in(mul, 1)};
    nashc_rw_replace(rw, nashc_node_out(mul, 0), nashc_rw_op(rw, "nn.add", in, 2));
    return true;
}

static bool
crash_at_root(nashc_rw *rw, nashc_node *n)
{
    (void)rw;
    (void)n;
    return *(volatile const char *)no_string;
}

static bool
forever(nashc_rw *rw, nashc_node *n)
{
    (void)rw;
    (void)n;
    return true;
}

/* Reads a value of another graph. */
static bool
foreign_operand(nashc_rw *rw, nashc_node *n)
{
    nashc_module *copy = nashc_module_clone(nashc_graph_module(nashc_rw_graph(rw)));
    nashc_value *x = nashc_graph_input(nashc_module_main(copy), 0);
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_op(rw, "nn.neg", &x, 1));
    nashc_module_free(copy);
    return true;
}

/* Leaves a type that is not that of the operands. */
RUN(run_wrong_type)
{
    nashc_type t = nashc_type_for_range(0, 1);
    (void)r;
    NASHC_EACH_NODE(g, n)
    {
        const nashc_type *old = nashc_value_type(nashc_node_out(n, 0));
        t = nashc_type_with_elem(old, &t);
        nashc_value_set_type(nashc_node_out(n, 0), &t);
    }
    return NASHC_OK;
}

#define PATTERN(name, root, fn)                                                                    \
    static const nashc_pattern name##_pattern = {root, fn};                                        \
    static const nashc_pattern *const name[] = {&name##_pattern, NULL}
PATTERN(adds, "nn.mul", to_add);
PATTERN(crashes, "nn.mul", crash_at_root);
PATTERN(forevers, "nn.mul", forever);
PATTERN(foreigns, "nn.mul", foreign_operand);

#define PASS(id, text, pattern, code)                                                              \
    static const nashc_pass id = {NASHC_DESC(nashc_pass), .name = text, .help = "fails",           \
                                  .patterns = pattern, .run = code}
PASS(p_segv, "f-segv", NULL, run_segv);
PASS(p_root, "f-root", crashes, NULL);
PASS(p_fpe, "f-fpe", NULL, run_fpe);
PASS(p_abort, "f-abort", NULL, run_abort);
PASS(p_exit, "f-exit", NULL, run_exit);
PASS(p_silent, "f-silent", NULL, run_silent);
PASS(p_odd, "f-odd", NULL, run_odd);
PASS(p_endless, "f-endless", NULL, run_endless);
PASS(p_overflow, "f-overflow", NULL, run_overflow);
PASS(p_add, "f-add", adds, NULL);
PASS(p_forever, "f-forever", forevers, NULL);
PASS(p_foreign, "f-foreign", foreigns, NULL);
PASS(p_type, "f-type", NULL, run_wrong_type);
static const nashc_pass *const passes[] = {&p_segv,    &p_root,    &p_fpe,     &p_abort,    &p_exit,
                                           &p_silent,  &p_odd,     &p_endless, &p_overflow, &p_add,
                                           &p_forever, &p_foreign, &p_type,    NULL};

/* --- operators ------------------------------------------------------------------------------- */

static nashc_status
infer_same(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    (void)d;
    *out = *nashc_value_type(nashc_node_in(n, 0));
    return NASHC_OK;
}

static nashc_status
infer_damaged(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    (void)n;
    (void)d;
    out->rank = 200;
    return NASHC_OK;
}

static nashc_status
eval_silent(nashc_eval *e, const nashc_node *n)
{
    (void)e;
    (void)n;
    return NASHC_EUNSUP;
}

static nashc_status
eval_crash(nashc_eval *e, const nashc_node *n)
{
    (void)e;
    (void)n;
    return (nashc_status) * (volatile const char *)no_string;
}

static nashc_status
eval_too_large(nashc_eval *e, const nashc_node *n)
{
    (void)n;
    nashc_buf_set_int(nashc_eval_out(e, 0), 0, 1000);
    return NASHC_OK;
}

#define OP(id, text, types, code)                                                                  \
    static const nashc_op id = {NASHC_DESC(nashc_op), .name = text,   .help = "fails",             \
                                .min_in = 1,          .max_in = 1,    .min_out = 1,                \
                                .max_out = 1,         .infer = types, .eval = code}
OP(o_silent, "f.silent", infer_same, eval_silent);
OP(o_crash, "f.crash", infer_same, eval_crash);
OP(o_large, "f.large", infer_same, eval_too_large);
OP(o_rank, "f.rank", infer_damaged, eval_silent);
static const nashc_op *const ops[] = {&o_silent, &o_crash, &o_large, &o_rank, NULL};

/* --- the rest -------------------------------------------------------------------------------- */

static int
probe(const uint8_t *head, size_t n)
{
    return n >= 4 && memcmp(head, "boom", 4) == 0 ? 100 : 0;
}

static nashc_status
read_boom(nashc_ctx *c, const char *path, const nashc_opts *o, nashc_module **out, nashc_diag *d)
{
    (void)c;
    (void)o;
    (void)out;
    (void)d;
    return strstr(path, "crash") ? (nashc_status) * (volatile const char *)no_string : NASHC_OK;
}

static const nashc_frontend frontend = {
    NASHC_DESC(nashc_frontend), .name = "boom", .help = "fails",
    .suffixes = ".boom",        .probe = probe, .read = read_boom};
static const nashc_frontend *const frontends[] = {&frontend, NULL};

/* Half a file and half a folder, then the crash. */
static nashc_status
write_half(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    nashc_outfile *f = nashc_out_open(path, d);
    nashc_outdir *dir = nashc_outdir_open("half.dir", d);
    (void)m;
    (void)o;
    if (!f || !dir)
        return NASHC_EIO;
    nashc_outfile *inner = nashc_out_open(nashc_outdir_path(dir), d); /* not a file: refused */
    nashc_out_drop(inner);
    nashc_out_printf(f, "half");
    return (nashc_status) * (volatile const char *)no_string;
}

static const nashc_backend backend = {NASHC_DESC(nashc_backend), .name = "half", .help = "fails",
                                      .suffixes = ".half", .write = write_half};
static const nashc_backend *const backends[] = {&backend, NULL};

static nashc_status
prepare(const nashc_module *m, const nashc_opts *o, void **program, nashc_diag *d)
{
    (void)m;
    (void)o;
    (void)d;
    *program = NULL;
    return NASHC_EUNSUP;
}

static nashc_status
execute(void *program, const nashc_buf *const *in, nashc_buf *out, nashc_diag *d)
{
    (void)program;
    (void)in;
    (void)out;
    (void)d;
    return NASHC_OK;
}

static void
release(void *program)
{
    (void)program;
}

static const nashc_executor executor = {
    NASHC_DESC(nashc_executor), .name = "none", .help = "fails",
    .prepare = prepare,         .run = execute, .free = release};
static const nashc_executor *const executors[] = {&executor, NULL};

static int
odd_exit(nashc_ctx *c, const nashc_opts *o, int n, const char *const *args)
{
    (void)c;
    (void)o;
    (void)n;
    (void)args;
    return 12345;
}

static const nashc_command command = {NASHC_DESC(nashc_command), .name = "odd", .help = "fails",
                                      .main = odd_exit};
static const nashc_command *const commands[] = {&command, NULL};

static const nashc_plugin plugin = {
    NASHC_DESC(nashc_plugin), .abi = NASHC_ABI,       .name = "faults",
    .version = "1",           .help = "fails",        .ops = ops,
    .passes = passes,         .frontends = frontends, .backends = backends,
    .executors = executors,   .commands = commands};

const nashc_plugin *
nashc_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
