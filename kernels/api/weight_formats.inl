// Every format of weights: WEIGHT_FORMAT(value, name, elements and bytes of a block, how many half-precision scales it
// has and the byte of the first). A row of a matrix is whole blocks. The arithmetic is in weight_blocks.h.
WEIGHT_FORMAT(F32, "F32", 1, 4, 0, 0)
WEIGHT_FORMAT(F16, "F16", 1, 2, 0, 0)
WEIGHT_FORMAT(BF16, "BF16", 1, 2, 0, 0)
WEIGHT_FORMAT(F8E4M3, "F8_E4M3", 1, 1, 0, 0)  // the "fn" variant, without infinity
WEIGHT_FORMAT(F8E5M2, "F8_E5M2", 1, 1, 0, 0)
WEIGHT_FORMAT(I8, "I8", 1, 1, 0, 0)  // an integer times the scale of its row
// Blocks as GGUF defines them.
WEIGHT_FORMAT(Q8_0, "Q8_0", 32, 34, 1, 0)
WEIGHT_FORMAT(Q4_0, "Q4_0", 32, 18, 1, 0)
WEIGHT_FORMAT(Q4_1, "Q4_1", 32, 20, 2, 0)
WEIGHT_FORMAT(Q5_0, "Q5_0", 32, 22, 1, 0)
WEIGHT_FORMAT(Q5_1, "Q5_1", 32, 24, 2, 0)
WEIGHT_FORMAT(IQ4_NL, "IQ4_NL", 32, 18, 1, 0)
WEIGHT_FORMAT(Q2_K, "Q2_K", 256, 84, 2, 80)
WEIGHT_FORMAT(Q3_K, "Q3_K", 256, 110, 1, 108)
WEIGHT_FORMAT(Q4_K, "Q4_K", 256, 144, 2, 0)
WEIGHT_FORMAT(Q5_K, "Q5_K", 256, 176, 2, 0)
WEIGHT_FORMAT(Q6_K, "Q6_K", 256, 210, 1, 208)
