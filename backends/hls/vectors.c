/* vectors.c: tb/inK.hex and outK.hex: frames, and what the reference executor makes of them. */
#include "build.h"

static bool
print_beats(const nashc_stream *s, const nashc_buf *b, nashc_outfile *f)
{
    size_t size;
    char *beats = nashc_flow_print_beats(s, b, &size);

    if (beats)
        nashc_out_write(f, beats, size);
    nashc_mem_free(beats);
    return beats != NULL;
}

/* Frame k: the ends of the input ranges, then random ones. */
static nashc_status
run_frame(hls_design *z, int64_t k, nashc_buf *x, nashc_buf *y, nashc_outfile **f)
{
    int n_in = nashc_graph_n_inputs(z->f), n_out = nashc_graph_n_outputs(z->f);
    const nashc_buf **xs = NASHC_NEW_N(z->a, const nashc_buf *, n_in);
    nashc_status s = xs ? NASHC_OK : nashc_enomem(z->d);

    for (int i = 0; i < n_in && s == NASHC_OK; i++) {
        if (!nashc_buf_alloc(&x[i], nashc_value_type(nashc_graph_input(z->f, i))))
            return nashc_enomem(z->d);
        nashc_fill(&x[i], (int)(k < 2 ? k : k + 2),
                   (uint64_t)nashc_opts_int(z->o, "seed") + (uint64_t)i, NULL, NULL);
        xs[i] = &x[i];
        if (!print_beats(&hls_input(z, i)->s, &x[i], f[i]))
            s = nashc_enomem(z->d);
    }
    if (s == NASHC_OK)
        s = nashc_run_graph(z->f, xs, y, 0, NULL, NULL, z->d);
    for (int i = 0; i < n_out && s == NASHC_OK; i++) {
        if (!print_beats(&hls_output(z, i)->s, &y[i], f[n_in + i]))
            s = nashc_enomem(z->d);
        nashc_buf_free(&y[i]);
    }
    for (int i = 0; i < n_in; i++)
        nashc_buf_free(&x[i]);
    return s;
}

nashc_status
hls_write_vectors(hls_design *z)
{
    int n_in = nashc_graph_n_inputs(z->f), n = n_in + nashc_graph_n_outputs(z->f);
    nashc_buf *x = NASHC_NEW_N(z->a, nashc_buf, n), *y = NASHC_NEW_N(z->a, nashc_buf, n);
    nashc_outfile **f = NASHC_NEW_N(z->a, nashc_outfile *, n);
    nashc_status s = x && y && f ? NASHC_OK : nashc_enomem(z->d);

    for (int i = 0; i < n && s == NASHC_OK; i++) {
        const char *what = i < n_in ? "in" : "out";
        f[i] = hls_open(z, nashc_arena_printf(z->a, "tb/%s%d.hex", what, i < n_in ? i : i - n_in));
        s = f[i] ? NASHC_OK : NASHC_EIO;
    }
    for (int64_t k = 0; k < nashc_opts_int(z->o, "vectors") && s == NASHC_OK; k++)
        s = run_frame(z, k, x, y, f);
    for (int i = 0; f && i < n; i++) {
        if (s == NASHC_OK)
            s = nashc_out_commit(f[i], z->d);
        else
            nashc_out_drop(f[i]);
    }
    return s;
}
