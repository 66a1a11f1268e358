// oneDNN 2 and 3 differ in how a primitive is described; this is the only file that knows.
#pragma once
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

namespace meander::kernels {

inline std::string dnnlVersionText() {
    const dnnl_version_t* v = dnnl_version();
    return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

inline dnnl::matmul::primitive_desc describeMatmul(const dnnl::engine& engine, const dnnl::memory::desc& src,
                                                   const dnnl::memory::desc& weights, const dnnl::memory::desc* bias,
                                                   const dnnl::memory::desc& dst, const dnnl::primitive_attr& attr) {
#if DNNL_VERSION_MAJOR >= 3
    if (bias) return {engine, src, weights, *bias, dst, attr};
    return {engine, src, weights, dst, attr};
#else
    using Desc = dnnl::matmul::desc;
    return {bias ? Desc(src, weights, *bias, dst) : Desc(src, weights, dst), attr, engine};
#endif
}

// An empty `bias` is none.
inline dnnl::convolution_forward::primitive_desc describeConvolution(
    const dnnl::engine& engine, dnnl::algorithm algorithm, const dnnl::memory::desc& src,
    const dnnl::memory::desc& weights, const dnnl::memory::desc& bias, const dnnl::memory::desc& dst, int stride,
    int padding, const dnnl::primitive_attr& attr) {
    const dnnl::memory::dims strides{stride, stride}, paddings{padding, padding};
    const auto inference = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    if (bias.get_size() == 0)
        return {engine, inference, algorithm, src, weights, dst, strides, paddings, paddings, attr};
    return {engine, inference, algorithm, src, weights, bias, dst, strides, paddings, paddings, attr};
#else
    using Desc = dnnl::convolution_forward::desc;
    if (bias.get_size() == 0)
        return {Desc(inference, algorithm, src, weights, dst, strides, paddings, paddings), attr, engine};
    return {Desc(inference, algorithm, src, weights, bias, dst, strides, paddings, paddings), attr, engine};
#endif
}

inline dnnl::softmax_forward::primitive_desc describeSoftmax(const dnnl::engine& engine, const dnnl::memory::desc& data,
                                                             int axis, const dnnl::primitive_attr& attr) {
    const auto inference = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    return {engine, inference, dnnl::algorithm::softmax_accurate, data, data, axis, attr};
#else
    return {dnnl::softmax_forward::desc(inference, data, axis), attr, engine};
#endif
}

inline void appendActivation(dnnl::post_ops& ops, dnnl::algorithm algorithm, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
    ops.append_eltwise(algorithm, alpha, beta);
#else
    ops.append_eltwise(1.0f, algorithm, alpha, beta);
#endif
}

}  // namespace meander::kernels
