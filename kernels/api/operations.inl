// Every operation: a row here, its checks in operations_*.cpp (Backend::name), one implementation per device (doName)
// and its reference, cases and sample call in kernels/verify. OPERATION(Name, name, result, parameters...); a gradient
// will be one more entry per Name.
//
// An output may be the same memory as an input only where "in place" stands. Views are dense unless "strided" stands:
// then the elements of their last dimension are neighbours and their rows may lie anywhere (View::hasDenseRows).

// Memory
// Host memory (dense) to and from a tensor.
OPERATION(Upload, upload, void, const void* host, View to)
OPERATION(Download, download, void, View from, void* host)
// Same type and count; where one of them is not dense, the same shape. Any strides: this is how a view becomes dense.
OPERATION(Copy, copy, void, View from, View to)
// y = x converted to y's type: F32, F64, F16, BF16 to any of them.
OPERATION(Convert, convert, void, View x, View y)
OPERATION(Fill, fill, void, View y, double value)

// Products
// weight (out, in) and bias (out) or null, F32, F16 or BF16 in host memory. `compute` is the type of the activations
// that they will be used with.
OPERATION(PackLinear, packLinear, std::unique_ptr<LinearWeights>, View weight, View bias, DType compute)
// The same for weights that stay in the format they are stored in and are widened to `compute` during each product: the
// rows of `parts` below each other. Every `in` is the same and a whole number of blocks.
OPERATION(PackStoredLinear, packStoredLinear, std::unique_ptr<LinearWeights>, std::span<const WeightMatrix> parts,
          View bias, DType compute)
// x (rows, in), strided → y (rows, out); leading dimensions count as rows. In place with the residual only.
OPERATION(Linear, linear, void, View x, const LinearWeights& w, View y, const Epilogue& e = {})
// a (b, m, k) · b (b, k, n), or (b, n, k) when transposeB, → y (b, m, n) = scale · product.
OPERATION(BatchedMatmul, batchedMatmul, void, View a, View b, View y, bool transposeB, float scale = 1.0f)
// weight (out, in, k, k) and bias (out) or null, in host memory. height and width are the expected extents of the
// input, by which the algorithm is chosen; others work too.
OPERATION(PackConv, packConv, std::unique_ptr<ConvWeights>, View weight, View bias, ConvGeometry g, DType compute,
          int height, int width)
// x (n, h, w, in) → y (n, h', w', out), h' = (h + 2 padding − k) / stride + 1.
OPERATION(Conv2d, conv2d, void, View x, const ConvWeights& w, View y, const Epilogue& e = {})
// q, k, v and y strided, y (b, tq, heads·dv).
OPERATION(Attention, attention, void, const AttentionArgs& a, View y)

// Norms: gamma and beta (c) or null; x and y have one shape, in place.
// Per image and group of channels, then the activation; x (n, ..., c).
OPERATION(GroupNorm, groupNorm, void, View x, View gamma, View beta, int groups, float eps, Activation a, View y)
// Per row over c, then y = norm · (1 + scale) + shift (adaLN); scale and shift (groups, c) or null, rows split evenly
// among the groups. x and y strided.
OPERATION(LayerNorm, layerNorm, void, View x, View gamma, View beta, float eps, View scale, View shift, View y)
// Per row: y = x / √(mean x² + eps) · gamma. x and y strided.
OPERATION(RmsNorm, rmsNorm, void, View x, View gamma, float eps, View y)
// Over the last dimension; in place.
OPERATION(Softmax, softmax, void, View x, View y)

// Positions and tables
// Rotary position embedding (Su et al. 2021): turns each pair of channels of a head by its token's angle. x and y
// (b, t, heads, d), strided; in place.
OPERATION(Rope, rope, void, View x, const RopeArgs& r, View y)
// y[r] = table[ids[r]]; ids in host memory, table (n, c) of y's type. Ids outside the table throw.
OPERATION(Embedding, embedding, void, std::span<const std::int32_t> ids, View table, View y)
// Sinusoids of the given times: y (n, dim); frequencies exp(−ln(maxPeriod) i / (dim/2 − shift)); [cos, sin] when
// cosFirst, else [sin, cos].
OPERATION(TimestepEmbedding, timestepEmbedding, void, std::span<const double> times, int dim, bool cosFirst,
          double shift, double maxPeriod, View y)

// Elementwise, in place
// x and y strided.
OPERATION(Unary, unary, void, Unary op, View x, View y)
// b has a's shape, or its last dimensions: then it repeats along the others. a and y strided.
OPERATION(Binary, binary, void, Binary op, View a, View b, View y)
// y = Σ factor · value over any number of terms of y's type and shape (F32, F64, F16, BF16); sums in double, rounded
// once.
OPERATION(Combine, combine, void, std::span<const Term> terms, View y)
// y[row] = Σ_i factors[i][row] · values[i][row], rows = first dimension.
OPERATION(CombineRows, combineRows, void, std::span<const View> values, std::span<const std::vector<double>> factors,
          View y)
// Standard normals, not in place of anything: row i of y (F32 or F64) is the stream at addresses[i], elements in
// row-major order.
OPERATION(Normal, normal, void, std::span<const NoiseAddress> addresses, View y)

// Layout
// Resampling of images (n, h, w, c) by 2: nearest neighbour up, mean down.
OPERATION(UpsampleNearest2, upsampleNearest2, void, View x, View y)
OPERATION(DownsampleMean2, downsampleMean2, void, View x, View y)
// Images (n, h, w, c f f) ↔ (n, h f, w f, c): channel c f f + dy f + dx ↔ pixel (dy, dx), as PyTorch's pixel_shuffle.
OPERATION(PixelShuffle, pixelShuffle, void, View x, int factor, View y)
OPERATION(PixelUnshuffle, pixelUnshuffle, void, View x, int factor, View y)
// y = [a, b] along the last dimension.
OPERATION(ConcatLast, concatLast, void, View a, View b, View y)
// y = x[..., first : first + c], c the last extent of y.
OPERATION(SliceLast, sliceLast, void, View x, std::int64_t first, View y)
// (n, c, rest...) ↔ (n, rest..., c)
OPERATION(ChannelsLast, channelsLast, void, View x, View y)
OPERATION(ChannelsFirst, channelsFirst, void, View x, View y)

// Reductions: one number per row (first dimension) over everything else, in double.
OPERATION(ReduceRows, reduceRows, std::vector<double>, Reduction r, View x)
// Σ a·b
OPERATION(DotRows, dotRows, std::vector<double>, View a, View b)
// Entropy of attention over keys, averaged over queries: p (b, heads, tq, tk) F32 → b·heads values in nats.
OPERATION(AttentionEntropy, attentionEntropy, std::vector<double>, View p)
