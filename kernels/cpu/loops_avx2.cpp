#define MEANDER_LOOPS loopsAvx2
#define MEANDER_LOOPS_NAME "AVX2"
#include "kernels/cpu/loops_table.inl"
