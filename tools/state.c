/* state.c: options of the whole run that every command asks for. */
#include "tool.h"

struct tool_state tool_state;

bool
tool_json(void)
{
    return tool_state.json;
}

bool
tool_quiet(void)
{
    return tool_state.quiet;
}

const nashc_command *
tool_command(void)
{
    return tool_state.command;
}

void
tool_flush(nashc_ctx *c)
{
    nashc_diag_flush(nashc_ctx_diag(c));
}
