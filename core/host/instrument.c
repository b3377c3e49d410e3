/* instrument.c: dumps, differences, times and counters of a pipeline, and files to repeat a
 * failure.
 */
#include "host.h"
#include <string.h>
#include <sys/stat.h>

/* Is name (or one of its aliases) in list, or "all"? */
bool
nashc_name_listed(const char *const *list, const char *name, const char *alias)
{
    for (; list && *list; list++) {
        size_t len = strlen(*list);
        if (strcmp(*list, "all") == 0 || strcmp(*list, name) == 0)
            return true;
        for (const char *a = alias; a && *a; a += strspn(a, "|")) {
            size_t n = strcspn(a, "|");
            if (n == len && memcmp(a, *list, n) == 0)
                return true;
            a += n;
        }
    }
    return false;
}

/* Passes that an option of the pass manager names. */
static nashc_status
check_names(nashc_ctx *c, const char *where, const char *const *list, nashc_diag *d)
{
    for (; list && *list; list++) {
        if (strcmp(*list, "all") == 0 || nashc_find(c, NASHC_D_PASS, *list))
            continue;
        if (nashc_find(c, NASHC_D_PIPELINE, *list)) {
            nashc_usage(d, "%s: \"%s\" is a pipeline, not a pass", where, *list);
            nashc_help(d, "name one of its passes (`nashc help %s` shows them), or all", *list);
        } else {
            nashc_lookup(c, NASHC_D_PASS, *list, d);
            nashc_note(d, "in %s", where);
        }
        return NASHC_EUSAGE;
    }
    return NASHC_OK;
}

nashc_status
nashc_check_pass_names(nashc_ctx *c, const nashc_pm_options *o, nashc_diag *d)
{
    nashc_status s = check_names(c, "--print-before", o->print_before, d);

    if (s == NASHC_OK)
        s = check_names(c, "--print-after", o->print_after, d);
    return s == NASHC_OK ? check_names(c, "--explain", o->explain, d) : s;
}

void
nashc_print_step(nashc_pm *pm, const char *when, const nashc_item *it, const nashc_module *m)
{
    size_t size = 0;
    char *text = nashc_print(m, &size);
    nashc_diag_flush(pm->diag);
    fprintf(stderr, "# IR %s %s\n%s", when, it->name, text ? text : "");
    nashc_mem_free(text);
}

/* --- line differences ------------------------------------------------------------------------ */

#define MAX_DIFF_CELLS (16 << 20)

typedef struct lines {
    char **at; /* into a text whose newlines became 0 */
    size_t n, cap;
} lines;

static bool
split(char *text, lines *l)
{
    for (char *s = text; s && *s;) {
        if (!nashc_mem_grow((void **)&l->at, &l->cap, l->n + 1, sizeof *l->at))
            return false;
        l->at[l->n++] = s;
        s += strcspn(s, "\n");
        if (*s)
            *s++ = 0;
    }
    return true;
}

static void
print_lines(char sign, char *const *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%c%s\n", sign, at[i]);
}

/* Longest common subsequence of a and b: table[i][j] for the tails from i and j on. */
static void
diff_middle(char *const *a, size_t n, char *const *b, size_t m)
{
    uint32_t *t = NULL;
    if (n * m <= MAX_DIFF_CELLS)
        t = nashc_mem_calloc((n + 1) * (m + 1), sizeof *t);
    if (!t) {
        print_lines('-', a, n);
        print_lines('+', b, m);
        return;
    }
    for (size_t i = n; i-- > 0;)
        for (size_t j = m; j-- > 0;) {
            uint32_t down = t[(i + 1) * (m + 1) + j], right = t[i * (m + 1) + j + 1];
            t[i * (m + 1) + j] = strcmp(a[i], b[j]) == 0 ? t[(i + 1) * (m + 1) + j + 1] + 1
                                 : down > right          ? down
                                                         : right;
        }
    size_t i = 0, j = 0;
    while (i < n || j < m) {
        if (i < n && j < m && strcmp(a[i], b[j]) == 0) {
            i++;
            j++;
        } else if (i < n && (j == m || t[(i + 1) * (m + 1) + j] >= t[i * (m + 1) + j + 1])) {
            print_lines('-', &a[i++], 1);
        } else {
            print_lines('+', &b[j++], 1);
        }
    }
    nashc_mem_free(t);
}

/* What is equal at both ends is left out first, as a pass changes a few lines of thousands; then
 * the middle by its longest common subsequence. O(lines^2) for the middle, up to 16 M cells; beyond
 * that all of it is shown as removed and added. */
void
nashc_print_diff(const nashc_pm *pm, const nashc_item *it, const nashc_module *before,
                 const nashc_module *after)
{
    size_t n_old = 0, n_new = 0, head = 0, tail = 0;
    char *old = nashc_print(before, &n_old), *now = nashc_print(after, &n_new);
    lines a = {0}, b = {0};
    if (old && now && !(n_old == n_new && memcmp(old, now, n_old) == 0) && split(old, &a) &&
        split(now, &b)) {
        while (head < a.n && head < b.n && strcmp(a.at[head], b.at[head]) == 0)
            head++;
        while (tail < a.n - head && tail < b.n - head &&
               strcmp(a.at[a.n - 1 - tail], b.at[b.n - 1 - tail]) == 0)
            tail++;
        nashc_diag_flush(pm->diag);
        fprintf(stderr, "# changed by %s\n", it->name);
        diff_middle(a.at + head, a.n - head - tail, b.at + head, b.n - head - tail);
    }
    nashc_mem_free(a.at);
    nashc_mem_free(b.at);
    nashc_mem_free(old);
    nashc_mem_free(now);
}

nashc_status
nashc_save_temp(nashc_pm *pm, const nashc_item *it, const nashc_module *m)
{
    (void)mkdir(pm->o.save_temps, 0777); /* it may exist; else writing below says why */
    const char *path = nashc_arena_printf(pm->arena, "%s/%03d.%s.nashir", pm->o.save_temps,
                                          pm->n_done + 1, it->name);
    return path ? nashc_write_nashir(m, path, pm->diag) : nashc_enomem(pm->diag);
}

/* --- times and counters ---------------------------------------------------------------------- */

/* One for each pass, however often it runs, in the order of the first run. */
nashc_pass_time *
nashc_pass_clock(nashc_pm *pm, const nashc_pass *p)
{
    for (nashc_pass_time *t = pm->times; t; t = t->next)
        if (t->pass == p)
            return t;
    nashc_pass_time *t = NASHC_NEW(pm->arena, nashc_pass_time);
    if (!t)
        return NULL;
    t->pass = p;
    while (p->stats && p->stats[t->n_stats])
        t->n_stats++;
    t->stats = NASHC_NEW_N(pm->arena, int64_t, t->n_stats + 1);
    if (!t->stats)
        return NULL;
    if (pm->last_time)
        pm->last_time->next = t;
    else
        pm->times = t;
    pm->last_time = t;
    return t;
}

void
nashc_print_times(const nashc_pm *pm)
{
    double wall = 0, cpu = 0;
    nashc_diag_flush(pm->diag);
    fprintf(stderr, "%10s %10s %6s %8s %8s  pass\n", "wall ms", "cpu ms", "runs", "edits", "nodes");
    for (const nashc_pass_time *t = pm->times; t; t = t->next) {
        fprintf(stderr, "%10.3f %10.3f %6" PRId64 " %8" PRId64 " %8d  %s\n", 1e3 * t->wall,
                1e3 * t->cpu, t->runs, t->edits, t->n_nodes, t->pass->name);
        wall += t->wall;
        cpu += t->cpu;
    }
    fprintf(stderr, "%10.3f %10.3f %6d %8" PRId64 " %8s  total\n", 1e3 * wall, 1e3 * cpu,
            pm->n_done, pm->n_edits, "");
}

void
nashc_print_stats(const nashc_pm *pm)
{
    nashc_diag_flush(pm->diag);
    for (const nashc_pass_time *t = pm->times; t; t = t->next) {
        fprintf(stderr, "%8" PRId64 " %s: edits\n", t->edits, t->pass->name);
        for (int i = 0; i < t->n_stats; i++)
            fprintf(stderr, "%8" PRId64 " %s: %s\n", t->stats[i], t->pass->name, t->pass->stats[i]);
    }
}

/* --- repro files ----------------------------------------------------------------------------- */

static void add_item(const nashc_item *it, nashc_str *out);

static void
item_text(const nashc_item *it, nashc_str *out)
{
    switch (it->kind) {
    case NASHC_I_PASS:
        nashc_str_puts(out, it->name);
        if (it->opt_text[0])
            nashc_str_printf(out, "(%s)", it->opt_text);
        return;
    case NASHC_I_REPEAT:
    case NASHC_I_FIXPOINT:
        nashc_str_printf(out, "%s<%" PRId64 ">(", it->name, it->count);
        break;
    case NASHC_I_TRY:
        nashc_str_puts(out, "try(");
        break;
    case NASHC_I_SEQUENCE:
        break;
    }
    for (const nashc_item *c = it->child; c; c = c->next)
        add_item(c, out);
    if (it->kind != NASHC_I_SEQUENCE)
        nashc_str_putc(out, ')');
}

/* Behind what is there, with a comma if that does not end in one; an empty sequence adds nothing.
 */
static void
add_item(const nashc_item *it, nashc_str *out)
{
    size_t before = out->n;
    if (before > 0 && !strchr("(,", out->data[before - 1]))
        nashc_str_putc(out, ',');
    size_t start = out->n;
    item_text(it, out);
    if (out->n == start && out->data) {
        out->n = before;
        out->data[before] = 0;
    }
}

/* The failing pass, then what would have followed it: the rest of each list that encloses it, of
 * the round that was on where that is a loop. False: it is not in this list. */
static bool
remaining_text(const nashc_item *list, const nashc_item *failed, nashc_str *out)
{
    for (const nashc_item *it = list; it; it = it->next) {
        if (it == failed)
            add_item(it, out);
        else if (!remaining_text(it->child, failed, out))
            continue;
        while ((it = it->next))
            add_item(it, out);
        return true;
    }
    return false;
}

/* Written on demand, or on a bug without being asked. Failures of the writing are told but change
 * nothing: the first failure is what counts. */
void
nashc_write_repro(nashc_pm *pm, nashc_status s)
{
    bool bug = s == NASHC_EBUG || s == NASHC_EPLUGIN;
    const char *path = pm->o.repro ? pm->o.repro : bug ? pm->o.repro_on_bug : NULL;
    nashc_str text = {0};
    if (!path)
        return;
    nashc_module *m = nashc_module_clone(pm->module);
    remaining_text(pm->root->child, pm->failed, &text);
    if (m && text.data && !text.bad) {
        nashc_module_set_meta(m, "repro_version", NASHC_VERSION);
        nashc_module_set_meta(m, "repro_passes", text.data);
        if (nashc_write_nashir(m, path, pm->diag) == NASHC_OK)
            nashc_remark(pm->diag, NULL,
                         "wrote %s; repeat the failure with `nashc opt %s --run-repro`", path,
                         path);
    }
    nashc_str_free(&text);
    nashc_module_free(m);
}
