#include "engine/cli/cli.h"

int main(int argc, char** argv) { return meander::cli::run(argc, argv); }
