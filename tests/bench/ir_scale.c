/* ir_scale.c: time a node of building, cloning, printing, parsing and verifying graphs of three
 * sizes. Linear work keeps the time a node; the ratios to the smallest size show it. Caches make
 * large graphs up to about twice as dear; quadratic work would show as 10 and 50.
 */
#include <nashc/nashc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUILD, CLONE, PRINT, PARSE, VERIFY, INSERT, REPLACE, ERASE, N_STEPS };

static const char *const steps[] = {"build",  "clone",  "print",   "parse",
                                    "verify", "insert", "replace", "erase"};

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
check(bool ok, const char *what, nashc_ctx *c)
{
    nashc_diag *d = nashc_ctx_diag(c);

    if (ok)
        return;
    fprintf(stderr, "%s failed: %s\n", what,
            nashc_diag_count(d, NASHC_NOTE) ? nashc_diag_text(d, 0) : "");
    exit(1);
}

/* A chain with forks and a constant at every fourth node. */
static nashc_module *
build(nashc_ctx *c, int n)
{
    nashc_module *m = nashc_module_create(c);
    nashc_graph *g = nashc_module_add_graph(m, "main");
    nashc_build *b = nashc_build_create(g, nashc_ctx_diag(c));
    const int64_t dim[2] = {1, 16};
    nashc_type t = nashc_type_shaped(nashc_type_f32(), 2, dim);
    nashc_value *v[2];

    v[0] = v[1] = nashc_graph_add_input(g, "x", &t);
    for (int i = 0; i < n; i++) {
        nashc_value *in[2] = {v[0], i % 4 ? v[1] : nashc_build_f64(b, i)};
        v[1] = v[0];
        v[0] = i % 3 ? nashc_build_op(b, "nn.add", in, 2, NULL)
                     : nashc_build_op(b, "nn.clip", in, 1, "min=%d max=6", -1);
    }
    nashc_graph_add_output(g, "y", v[0]);
    check(nashc_build_status(b) == NASHC_OK, "build", c);
    return m;
}

/* n new nodes, each right before the same one: the worst place for order labels. */
static void
insert(nashc_ctx *c, nashc_graph *g, int n)
{
    nashc_build *b = nashc_build_create(g, nashc_ctx_diag(c));
    nashc_value *x = nashc_graph_input(g, 0);

    nashc_build_before(b, nashc_graph_last(g));
    for (int i = 0; i < n; i++)
        nashc_build_op(b, "nn.relu", &x, 1, NULL);
    check(nashc_build_status(b) == NASHC_OK, "insert", c);
}

static void
replace_all(nashc_graph *g)
{
    nashc_value *x = nashc_graph_input(g, 0);

    NASHC_EACH_NODE(g, n)
    {
        nashc_value_replace(nashc_node_out(n, 0), x);
    }
}

/* Best of some runs, seconds a node. */
static void
measure(nashc_ctx *c, int n, double *best)
{
    nashc_diag *d = nashc_ctx_diag(c);

    for (int run = 0; run < 3; run++) {
        nashc_module *m, *copy, *again = NULL;
        double t[N_STEPS + 1];
        size_t size;
        char *text;
        t[BUILD] = now();
        m = build(c, n);
        t[CLONE] = now();
        copy = nashc_module_clone(m);
        check(copy != NULL, "clone", c);
        t[PRINT] = now();
        text = nashc_print(copy, &size);
        check(text != NULL, "print", c);
        t[PARSE] = now();
        check(!nashc_parse(c, "text", text, size, NULL, &again, d), "parse", c);
        t[VERIFY] = now();
        check(!nashc_verify(again, 4, d), "verify", c);
        t[INSERT] = now();
        insert(c, nashc_module_main(m), n);
        t[REPLACE] = now();
        replace_all(nashc_module_main(m));
        t[ERASE] = now();
        nashc_graph_remove_dead(nashc_module_main(m));
        t[N_STEPS] = now();
        for (int k = 0; k < N_STEPS; k++) {
            double each = (t[k + 1] - t[k]) / n;
            best[k] = run && best[k] < each ? best[k] : each;
        }
        nashc_mem_free(text);
        nashc_module_free(m);
        nashc_module_free(copy);
        nashc_module_free(again);
    }
}

int
main(void)
{
    static const int sizes[] = {2000, 20000, 100000};
    double best[3][N_STEPS] = {{0}};
    nashc_ctx *c = nashc_ctx_create();

    if (!c)
        return 1;
    for (int i = 0; i < 3; i++)
        measure(c, sizes[i], best[i]);
    printf("%-8s %14s %14s %14s   time a node, and its ratio to %d nodes\n", "nodes", "2000",
           "20000", "100000", sizes[0]);
    for (int k = 0; k < N_STEPS; k++) {
        printf("%-8s", steps[k]);
        for (int i = 0; i < 3; i++)
            printf(" %6.0f ns x%4.2f", best[i][k] * 1e9, best[i][k] / best[0][k]);
        printf("\n");
    }
    nashc_ctx_free(c);
    return 0;
}
