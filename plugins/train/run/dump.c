/* dump.c: --dump-step: values of the first step and the state after the last, for checks. */
#include "plugins/train/run/run.h"
#include <string.h>

bool
train_put_floats(tool_arrays *a, const char *name, int rank, const int64_t *dim, const float *v)
{
    nashc_type t = nashc_type_f32();
    tool_array *x = tool_arrays_add(a, name, &t, rank, dim);

    if (x)
        memcpy(x->buf.data, v, (size_t)x->buf.n * sizeof(float));
    return x != NULL;
}

/* An array without dimensions, as numpy has scalars. */
bool
train_put_number(tool_arrays *a, const char *name, double v)
{
    nashc_type t = nashc_type_f64();
    int64_t none = 1;
    tool_array *x = tool_arrays_add(a, name, &t, 0, &none);

    if (x)
        nashc_buf_set(&x->buf, 0, v);
    return x != NULL;
}

bool
train_take_whole(double v, int64_t most, int64_t *out)
{
    /* before the cast: of NaN or what int64_t does not hold it is undefined */
    if (!(v >= 0.0 && v <= (double)most) || v != (double)(int64_t)v)
        return false;
    *out = (int64_t)v;
    return true;
}

/* What nothing depends on has a gradient of zero, and stays as it is. */
static bool
put_others(train_run *r, const char *what, bool values)
{
    nashc_type t = nashc_type_f32();
    bool good = true;

    for (size_t i = 0; good && i < r->others.n; i++) {
        const tool_array *x = &r->others.at[i];
        char name[512];
        snprintf(name, sizeof name, "%s.%.480s", what, x->name);
        tool_array *to = tool_arrays_add(&r->dump, name, &t, x->rank, x->dim);
        good = to != NULL;
        for (int64_t e = 0; good && e < to->buf.n; e++)
            nashc_buf_set(&to->buf, e, values ? nashc_buf_get(&x->buf, e) : 0.0);
    }
    return good;
}

/* Before the update: gradients are of the initial parameters, so another program can repeat the
 * step. */
nashc_status
train_dump_first(train_run *r, const float *logits, int64_t n, double loss, double norm)
{
    int64_t dim[2] = {n, r->net->slot[r->net->output].count};
    bool good = train_put_floats(&r->dump, "logits", 2, dim, logits) &&
                train_put_number(&r->dump, "loss", loss) &&
                train_put_number(&r->dump, "grad_norm", norm);

    for (int i = 0; good && i < r->net->n_params; i++) {
        const train_param *p = &r->net->param[i];
        char name[512];
        snprintf(name, sizeof name, "grad.%.480s", p->name);
        good = !p->trains || train_put_floats(&r->dump, name, p->rank, p->dim, p->g);
    }
    good = good && put_others(r, "grad", false);
    return good ? NASHC_OK : nashc_enomem(r->diag);
}

/* States of parameters after the last step, beside what the first one gave. */
nashc_status
train_dump_write(train_run *r, const char *path)
{
    bool good = true;

    for (int i = 0; good && i < r->net->n_params; i++) {
        const train_param *p = &r->net->param[i];
        char name[512];
        snprintf(name, sizeof name, "state.%.480s", p->name);
        good = train_put_floats(&r->dump, name, p->rank, p->dim, p->v);
    }
    good = good && put_others(r, "state", true);
    return good ? tool_arrays_write(path, &r->dump, r->diag) : nashc_enomem(r->diag);
}
