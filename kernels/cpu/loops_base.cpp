#define MEANDER_LOOPS loopsBase
#define MEANDER_LOOPS_NAME "SSE"
#include "kernels/cpu/loops_table.inl"
