// The backend's face: every operation selects the device and forwards to its file (operations.h says which).
#pragma once
#include "kernels/cuda/device.h"

namespace meander::kernels::cuda {

class CudaBackend final : public Backend {
public:
    explicit CudaBackend(int device) : m_device(std::make_shared<Device>(device)) {}

    std::string id() const override;
    std::string description() const override;
    std::vector<DType> fastTypes() const override;

    void* allocate(std::size_t bytes) override;
    void release(void* p) noexcept override;
    MemoryUse memoryUse() const override;
    void resetPeak() override;
    void trim() override;
    void upload(const void* host, View to) override;
    void download(View from, void* host) override;
    void copy(View from, View to) override;
    void synchronize() override;

    void convert(View x, View y) override;
    std::unique_ptr<LinearWeights> packLinear(View weight, View bias, DType compute) override;
    std::unique_ptr<LinearWeights> packStoredLinear(std::span<const WeightMatrix> parts, View bias,
                                                    DType compute) override;
    void linear(View x, const LinearWeights& w, View y, const Epilogue& e) override;
    void batchedMatmul(View a, View b, View y, bool transposeB, float scale) override;
    std::unique_ptr<ConvWeights> packConv(View weight, View bias, ConvGeometry g, DType compute, int height,
                                          int width) override;
    void conv2d(View x, const ConvWeights& w, View y, const Epilogue& e) override;
    void groupNorm(View x, View gamma, View beta, int groups, float eps, Activation a, View y) override;
    void layerNorm(View x, View gamma, View beta, float eps, View scale, View shift, View y) override;
    void rmsNorm(View x, View gamma, float eps, View y) override;
    void attention(const AttentionArgs& a, View y) override;
    void softmax(View x, View y) override;
    void upsampleNearest2(View x, View y) override;
    void downsampleMean2(View x, View y) override;
    void pixelShuffle(View x, int factor, View y) override;
    void pixelUnshuffle(View x, int factor, View y) override;
    void embedding(View ids, View table, View y) override;
    void timestepEmbedding(std::span<const double> times, int dim, bool cosFirst, double shift, double maxPeriod,
                           View y) override;
    void unary(Unary op, View x, View y) override;
    void binary(Binary op, View a, View b, View y) override;
    void combineRows(std::span<const View> values, std::span<const std::vector<double>> factors, View y) override;
    void combine(std::span<const Term> terms, View y) override;
    void fill(View y, double value) override;
    void concatLast(View a, View b, View y) override;
    void sliceLast(View x, std::int64_t first, View y) override;
    void channelsLast(View x, View y) override;
    void channelsFirst(View x, View y) override;
    void normal(std::span<const NoiseAddress> addresses, View y) override;
    std::vector<double> reduceRows(Reduction r, View x) override;
    std::vector<double> dotRows(View a, View b) override;
    std::vector<double> attentionEntropy(View p) override;

private:
    Device& device() const {
        m_device->makeCurrent();
        return *m_device;
    }

    std::shared_ptr<Device> m_device;
};

}  // namespace meander::kernels::cuda
