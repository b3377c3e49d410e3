/* running.c: who is to blame for what happens now: a plugin, or nashc itself.
 *
 *   command opt > pass "hello" of hello.so > op nn.mul, infer      hello.so
 *   command train of train.so > pass fold-constants                nashc
 *   pass fold-constants > op square.square of square.so, eval      square.so
 *
 * What nashc_running_now calls is async-signal-safe: no allocation, no locks, no stdio.
 */
#include "core/base/running.h"
#include "host.h"
#include <string.h>

/* --- blame ----------------------------------------------------------------------------------- */

/* File of the plugin that brought the descriptor of f; NULL: built-in. */
static const char *
origin(const nashc_frame *f)
{
    if (f->kind == NASHC_D_PLUGIN)
        return f->name;
    const char *op = f->kind == NASHC_D_IMPL && f->node ? nashc_node_opname(f->node) : NULL;
    return nashc_plugin_of(f->ctx, (nashc_desc_kind)f->kind, f->name, op);
}

/* The call to blame from `top` on, NULL if there is none, and its plugin. */
static const nashc_frame *
to_blame(const nashc_frame *top, const char **plugin)
{
    for (*plugin = NULL; top; top = top->outer) {
        *plugin = origin(top);
        if (*plugin || !top->outer || (top->kind != NASHC_D_OP && top->kind != NASHC_D_IMPL))
            break;
    }
    return top;
}

/* --- text that is safe in a signal handler --------------------------------------------------- */

#define MAX_NAME 120

static void
add(char *to, size_t size, const char *s)
{
    size_t n = strlen(to);
    for (; *s && n + 1 < size; s++)
        to[n++] = *s;
    to[n] = 0;
}

/* s in quotes; what could act on a terminal or end a string becomes '?'. */
static void
add_name(char *to, size_t size, const char *s)
{
    char safe[MAX_NAME + 1];
    size_t n = 0;
    for (; s[n] && n < MAX_NAME; n++) {
        unsigned char c = (unsigned char)s[n];
        safe[n] = s[n];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            safe[n] = '?';
    }
    safe[n] = 0;
    add(to, size, "\"");
    add(to, size, safe);
    add(to, size, s[n] ? "...\"" : "\"");
}

static void
describe(const nashc_frame *f, char *to, size_t size)
{
    if (f->kind == NASHC_D_PLUGIN) {
        add(to, size, "loading the plugin");
        return;
    }
    add(to, size, nashc_desc_noun((nashc_desc_kind)f->kind));
    add(to, size, " ");
    add_name(to, size, f->name);
    if (f->kind == NASHC_D_IMPL && f->node) {
        add(to, size, " of op ");
        add_name(to, size, nashc_node_opname(f->node));
    }
}

/* The name of a node as messages give it: that of the model's file, else its first result. */
static bool
add_node(const nashc_node *n, const char *before, char *to, size_t size)
{
    if (!n || nashc_node_dead(n))
        return false;
    const nashc_loc *loc = nashc_node_loc(n);
    const char *name = loc ? loc->name : NULL;
    if (!name && nashc_node_n_out(n) > 0)
        name = nashc_value_name(nashc_node_out(n, 0));
    if (!name)
        return false;
    add(to, size, before);
    add_name(to, size, name);
    add(to, size, " (");
    add(to, size, nashc_node_opname(n));
    add(to, size, ")");
    return true;
}

bool
nashc_running_now(nashc_running *out)
{
    const nashc_frame *top = nashc_frame_top, *f = to_blame(top, &out->origin);
    out->what[0] = out->where[0] = 0;
    if (!f)
        return false;
    describe(f, out->what, sizeof out->what);
    if (f != top) {
        add(out->where, sizeof out->where, " in ");
        describe(top, out->where, sizeof out->where);
    }
    const nashc_node *n = top->node ? top->node : f->node ? f->node : top->seen;
    bool at = add_node(n, n == top->seen ? ", having come to node " : " at node ", out->where,
                       sizeof out->where);
    /* What a built-in asks of a foreign operator has no frame of its own: its hardware side. */
    if (at && !out->origin &&
        (out->origin = nashc_plugin_of(f->ctx, NASHC_D_OP, nashc_node_opname(n), NULL)))
        add(out->where, sizeof out->where, ", an operator of this plugin");
    for (f = f->outer; f && f->kind == NASHC_D_OP; f = f->outer)
        continue;
    if (f && f->kind != NASHC_D_COMMAND) {
        add(out->where, sizeof out->where, ", called from ");
        describe(f, out->where, sizeof out->where);
    }
    return true;
}

/* --- failures -------------------------------------------------------------------------------- */

/* What the status says, for messages. */
static const char *
status_text(nashc_status s)
{
    static const char *const text[] = {
        [NASHC_OK] = "no failure",
        [NASHC_EINPUT] = "malformed input",
        [NASHC_EUNSUP] = "not supported",
        [NASHC_EUSAGE] = "wrong options",
        [NASHC_ENOMEM] = "out of memory",
        [NASHC_EIO] = "a file or an outside program failed",
        [NASHC_EMISMATCH] = "a comparison found a difference",
        [NASHC_EBUG] = "a broken invariant",
        [NASHC_EPLUGIN] = "a plugin failed",
    };
    return (size_t)s < NASHC_COUNT(text) ? text[s] : "not a status";
}

/* The code failed and told nobody why. */
static void
report_silence(const nashc_frame *f, nashc_status s)
{
    const char *noun = nashc_desc_noun((nashc_desc_kind)f->kind);
    const nashc_loc file = {.file = origin(f)};
    const nashc_loc *loc = f->node ? nashc_node_loc(f->node) : &file;
    if (s == NASHC_ENOMEM)
        nashc_enomem(f->diag);
    else
        nashc_bug(f->diag, loc, "%s \"%s\" failed with status %d (%s) and no message", noun,
                  nashc_quote(f->diag, f->name), (int)s, status_text(s));
}

/* Where the failure was, behind the message about it. */
static void
note_place(const nashc_frame *f)
{
    const char *plugin = origin(f), *noun = nashc_desc_noun((nashc_desc_kind)f->kind);
    if (plugin && f->kind != NASHC_D_PLUGIN)
        nashc_note(f->diag, "in %s \"%s\" of %s", noun, nashc_quote(f->diag, f->name),
                   nashc_quote(f->diag, plugin));
    else if (f->kind == NASHC_D_PASS)
        nashc_note(f->diag, "in pass \"%s\"", f->name);
}

nashc_status
nashc_leave(nashc_frame *f, nashc_status s)
{
    const char *plugin;
    bool unknown = (unsigned)s > NASHC_EPLUGIN;
    if (s != NASHC_OK && f->diag) {
        if (!nashc_diag_error_since(f->diag, f->n_messages))
            report_silence(f, s);
        note_place(f);
    }
    to_blame(f, &plugin);
    nashc_frame_top = f->outer;
    if (plugin && (s == NASHC_EBUG || unknown))
        return NASHC_EPLUGIN;
    return unknown ? NASHC_EBUG : s;
}

nashc_status
nashc_bug(nashc_diag *d, const nashc_loc *loc, const char *fmt, ...)
{
    const char *plugin;
    va_list ap;
    va_start(ap, fmt);
    nashc_diag_vadd(d, NASHC_ERROR, loc, fmt, ap);
    va_end(ap);
    to_blame(nashc_frame_top, &plugin);
    if (plugin)
        nashc_note(d, "this is a fault of the plugin, not of nashc or of your input");
    else
        nashc_note(d, "this is a bug in nashc %s, not in your input", NASHC_VERSION);
    return plugin ? NASHC_EPLUGIN : NASHC_EBUG;
}
