#define MEANDER_LOOPS loopsAvx512
#define MEANDER_LOOPS_NAME "AVX-512"
#include "kernels/cpu/loops_table.inl"
