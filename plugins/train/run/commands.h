/* commands.h: the commands of the plugin. */
#ifndef TRAIN_COMMANDS_H
#define TRAIN_COMMANDS_H

#include <nashc/io.h>

extern const nashc_command train_command_train, train_command_eval, train_command_search;

#endif
