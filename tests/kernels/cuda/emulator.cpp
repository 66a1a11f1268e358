#include "tests/kernels/cuda/emulator.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/kernels/cuda/fiber.h"

namespace meander::emulator {
namespace {

constexpr int mostThreads = 1024, warpSize = 32;

struct Place {
    const char* file = nullptr;
    int line = 0;
    bool operator==(const Place& o) const { return line == o.line && std::string_view(file) == o.file; }
};
std::string textOf(const Place& p) { return std::string(p.file) + ":" + std::to_string(p.line); }

enum class State : std::uint8_t { Fresh, Ready, AtWarp, AtBlock, Done };

struct Failed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Starts threads one after the other; one that waits keeps its fiber.
struct Worker {
    std::unique_ptr<Fiber> fiber;
    int thread = -1;
};

class Block {
public:
    // The stacks stay for the next launch.
    void prepare(const std::function<void()>& body, int count) {
        m_body = &body;
        m_count = count;
        m_failure.clear();
    }
    // Gives up the threads that still wait.
    void reset() {
        m_idle.clear();
        m_workers.clear();
    }

    void run() {
        m_done = m_started = 0;
        std::fill_n(m_states.begin(), m_count, State::Fresh);
        std::fill(m_states.begin() + m_count, m_states.end(), State::Done);
        while (m_done < m_count) {
            for (int i = 0; i < m_count; ++i) enter(order()[std::size_t(i)]);
            if (!m_failure.empty()) throw Failed(m_failure);
            if (m_done < m_count && !releaseWarps()) releaseBlock();
        }
    }
    void wait(State state, const Place& place) {
        const int me = int(running.index.x);
        m_states[std::size_t(me)] = state;
        m_places[std::size_t(me)] = place;
        m_worker[std::size_t(me)]->fiber->leave();
        running.index.x = unsigned(me);
    }
    void share(const void* value) { m_slots[running.index.x] = value; }
    const void* const* slots() const { return m_slots.data() + running.index.x / warpSize * warpSize; }
    bool isLive(int thread) const { return thread < m_count && m_states[std::size_t(thread)] != State::Done; }
    const std::vector<int>& order() const {
        static const std::string wanted = [] {
            const char* text = std::getenv("MEANDER_EMULATED_ORDER");
            return std::string(text ? text : "");
        }();
        if (int(m_order.size()) == m_count) return m_order;
        m_order.resize(std::size_t(m_count));
        std::iota(m_order.begin(), m_order.end(), 0);
        if (wanted == "reverse") std::reverse(m_order.begin(), m_order.end());
        if (wanted == "shuffled") std::shuffle(m_order.begin(), m_order.end(), std::mt19937(7));
        return m_order;
    }

private:
    void enter(int i) {
        State& state = m_states[std::size_t(i)];
        if (state == State::Ready) {
            running.index.x = unsigned(i);
            m_worker[std::size_t(i)]->fiber->resume();
        } else if (state == State::Fresh) {
            resumeIdle();
        }
    }
    void resumeIdle() {
        if (m_idle.empty()) {
            m_workers.push_back(std::make_unique<Worker>());
            Worker* made = m_workers.back().get();
            made->fiber = std::make_unique<Fiber>([this, made] { work(*made); });
            m_idle.push_back(made);
        }
        Worker* worker = m_idle.back();
        m_idle.pop_back();
        worker->fiber->resume();
    }
    // A worker's whole life: fresh threads while there are any, then idle.
    void work(Worker& worker) {
        for (;;) {
            while (m_started < m_count) {
                const int i = order()[std::size_t(m_started++)];
                m_worker[std::size_t(i)] = &worker;
                running.index.x = unsigned(i);
                m_states[std::size_t(i)] = State::Ready;
                try {
                    (*m_body)();
                } catch (const std::exception& e) {
                    if (m_failure.empty()) m_failure = e.what();
                }
                m_states[running.index.x] = State::Done;
                ++m_done;
            }
            m_idle.push_back(&worker);
            worker.fiber->leave();
        }
    }

    bool releaseWarps() {
        bool isReleased = false;
        for (int first = 0; first < m_count; first += warpSize) {
            const int end = std::min(m_count, first + warpSize);
            int waiting = -1, live = 0, atWarp = 0;
            for (int i = first; i < end; ++i) {
                if (m_states[std::size_t(i)] == State::Done) continue;
                ++live;
                if (m_states[std::size_t(i)] != State::AtWarp) continue;
                ++atWarp;
                if (waiting < 0) waiting = i;
                else mustBeOne(waiting, i);
            }
            if (atWarp == 0) continue;
            if (atWarp < live)
                throw Failed(std::to_string(live - atWarp) + " lanes of a warp did not come to its barrier at "
                             + textOf(m_places[std::size_t(waiting)]));
            for (int i = first; i < end; ++i)
                if (m_states[std::size_t(i)] == State::AtWarp) m_states[std::size_t(i)] = State::Ready;
            isReleased = true;
        }
        return isReleased;
    }
    void releaseBlock() {
        for (int i = 0; i < m_count; ++i) {
            if (m_states[std::size_t(i)] == State::Done)
                throw Failed("thread " + std::to_string(i) + " ended while others wait for the block at "
                             + textOf(m_places[std::size_t(waitingThread())]));
            mustBeOne(0, i);
        }
        std::fill_n(m_states.begin(), m_count, State::Ready);
    }
    int waitingThread() const {
        return int(std::find(m_states.begin(), m_states.end(), State::AtBlock) - m_states.begin());
    }
    void mustBeOne(int a, int b) const {
        if (!(m_places[std::size_t(a)] == m_places[std::size_t(b)]))
            throw Failed("threads wait at two barriers, " + textOf(m_places[std::size_t(a)]) + " and "
                         + textOf(m_places[std::size_t(b)]));
    }

    const std::function<void()>* m_body = nullptr;
    int m_count = 0, m_started = 0, m_done = 0;
    std::string m_failure;
    std::vector<State> m_states = std::vector<State>(mostThreads, State::Done);
    std::vector<Place> m_places = std::vector<Place>(mostThreads);
    std::vector<const void*> m_slots = std::vector<const void*>(mostThreads);
    std::vector<Worker*> m_worker = std::vector<Worker*>(mostThreads);
    std::vector<std::unique_ptr<Worker>> m_workers;
    std::vector<Worker*> m_idle;
    mutable std::vector<int> m_order;
};

Block block;
Counts counts;
cudaError_t lastError = cudaSuccess;

}  // namespace

void fail(const char* why) { throw Failed(why); }
void blockBarrier(const char* file, int line) { block.wait(State::AtBlock, {file, line}); }
void warpBarrier(const char* file, int line) { block.wait(State::AtWarp, {file, line}); }

const void* WarpSlots::of(int lane) const {
    if (!block.isLive(int(running.index.x) / warpSize * warpSize + lane))
        fail("a lane that ended, or that does not exist, was read");
    return slots[lane];
}
WarpSlots shareInWarp(const void* mine, const char* file, int line) {
    block.share(mine);
    warpBarrier(file, line);
    return {block.slots()};
}

cudaError_t launch(dim3 grid, dim3 extent, const std::function<void()>& body) {
    ++counts.launches;
    if (grid.y != 1 || grid.z != 1 || extent.y != 1 || extent.z != 1 || extent.x == 0 || extent.x > mostThreads)
        return cudaErrorInvalidValue;
    block.prepare(body, int(extent.x));
    running = {{}, {}, extent, grid};
    try {
        for (unsigned i = 0; i < grid.x; ++i) {
            running.block.x = i;
            block.run();
        }
    } catch (const Failed& e) {
        block.reset();
        std::fprintf(stderr, "emulated GPU, block %u of %u: %s\n", running.block.x, grid.x, e.what());
        return cudaErrorLaunchFailure;
    }
    return cudaSuccess;
}

}  // namespace meander::emulator

using meander::emulator::counts;

namespace {

constexpr std::size_t emulatedMemory = std::size_t(16) << 30;

// With the size in front, so that freed memory can be overwritten.
constexpr std::size_t header = 256;
cudaError_t take(void** p, std::size_t bytes) {
    ++counts.allocations;
    char* whole = bytes > emulatedMemory
                      ? nullptr
                      : static_cast<char*>(std::aligned_alloc(header, header + (bytes + 255) / 256 * 256));
    if (!whole) return cudaErrorMemoryAllocation;
    std::memcpy(whole, &bytes, sizeof bytes);
    std::memset(whole + header, 0xff, bytes);  // NaN in every floating-point type
    *p = whole + header;
    return cudaSuccess;
}
cudaError_t giveBack(void* p) {
    if (!p) return cudaSuccess;
    char* whole = static_cast<char*>(p) - header;
    std::size_t bytes = 0;
    std::memcpy(&bytes, whole, sizeof bytes);
    std::memset(p, 0x5b, bytes);
    std::free(whole);
    return cudaSuccess;
}

}  // namespace

extern "C" {
__attribute__((visibility("default"))) meander::emulator::Counts meanderEmulatorCounts() { return counts; }

cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; }
cudaError_t cudaGetLastError() { return std::exchange(meander::emulator::lastError, cudaSuccess); }
const char* cudaGetErrorString(cudaError_t e) {
    return e == cudaErrorLaunchFailure ? "a kernel failed" : e == cudaErrorInvalidValue ? "an invalid value" : "error";
}
cudaError_t cudaDriverGetVersion(int* version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
    *count = 1;
    return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
    *p = {"Emulated GPU (CPU fibers)", 9, 0, 2, emulatedMemory};
    return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
    *value = 1;
    return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned) {
    *s = reinterpret_cast<cudaStream_t>(std::uintptr_t(1));
    return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) {
    ++counts.waits;
    return cudaSuccess;
}
cudaError_t cudaMemPoolCreate(cudaMemPool_t* p, const cudaMemPoolProps*) {
    *p = reinterpret_cast<cudaMemPool_t>(std::uintptr_t(1));
    return cudaSuccess;
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t) { return cudaSuccess; }
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, std::size_t) { return cudaSuccess; }
cudaError_t cudaMallocFromPoolAsync(void** p, std::size_t bytes, cudaMemPool_t, cudaStream_t) { return take(p, bytes); }
cudaError_t cudaMalloc(void** p, std::size_t bytes) { return take(p, bytes); }
cudaError_t cudaFreeAsync(void* p, cudaStream_t) { return giveBack(p); }
cudaError_t cudaFree(void* p) { return giveBack(p); }
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
    *free = *total = emulatedMemory;
    return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t) {
    ++counts.copies;
    std::memmove(to, from, bytes);
    return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t) {
    std::memset(to, value, bytes);
    return cudaSuccess;
}
}
