#include "kernels/cpu/cpu_backend.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "kernels/cpu/dnnl_device.h"
#include "kernels/cpu/parallel.h"

namespace meander::kernels {
namespace {

int threadsFor(const CpuOptions& options) {
#ifdef MEANDER_SERIAL_LOOPS
    (void)options;
    return 1;
#else
    const int threads = options.threads > 0 ? options.threads : omp_get_max_threads();
    omp_set_num_threads(threads);  // of this thread only: the owner's; oneDNN asks it too
    return threads;
#endif
}

}  // namespace

const Loops& bestLoops() {
    int level = 0;
#if defined(__GNUC__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) level = 1;
    if (level == 1 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        level = 2;
#endif
    if (const char* wish = std::getenv("MEANDER_CPU_ISA")) {
        const std::string name = wish;
        const int wanted = name == "base" ? 0 : name == "avx2" ? 1 : 2;
        if (wanted < level) level = wanted;
    }
    return level == 2 ? loopsAvx512() : level == 1 ? loopsAvx2() : loopsBase();
}

FloatVector::FloatVector(const Loops& loops, MemoryPool& pool, const View& v) {
    if (!v) return;
    if (v.type == DType::F32) {
        m_data = v.as<float>();
        return;
    }
    m_copy.emplace(pool, std::size_t(v.count()));
    loops.toFloat[1](v.data, v.count(), m_copy->data());
    m_data = m_copy->data();
}

CpuBackend::CpuBackend(const CpuOptions& options)
    : m_loops(bestLoops()), m_threads(threadsFor(options)), m_dnnl(std::make_unique<DnnlDevice>()) {}
CpuBackend::~CpuBackend() = default;

std::string CpuBackend::description() const {
    return "CPU · oneDNN " + dnnlVersionText() + " · " + m_loops.name + " · " + std::to_string(m_threads)
           + (m_threads == 1 ? " thread" : " threads");
}

std::vector<DType> CpuBackend::fastTypes() const {
    if (m_dnnl->isBf16Faster()) return {DType::F32, DType::BF16};
    return {DType::F32};
}

void CpuBackend::doUpload(const void* host, View to) { std::memcpy(to.data, host, to.bytes()); }
void CpuBackend::doDownload(View from, void* host) { std::memcpy(host, from.data, from.bytes()); }

void CpuBackend::doCopy(View from, View to) {
    if (!from.isDense() || !to.isDense()) return copyStrided(from, to);
    const std::int64_t bytes = std::int64_t(from.bytes());
    parallelRanges(m_threads, bytes, 1 << 20, [&](std::int64_t first, std::int64_t last) {
        std::memmove(to.as<char>() + first, from.as<char>() + first, std::size_t(last - first));
    });
}

std::unique_ptr<Backend> createCpuBackend(const CpuOptions& options) { return std::make_unique<CpuBackend>(options); }

}  // namespace meander::kernels
