#include "config.h"
#include "cli/cli.h"
int verb_doctor(struct cli *c, int argc, char **argv){(void)c,(void)argc,(void)argv;return 1;}
