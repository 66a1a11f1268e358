// By ucontext for the first entry, then by a switch of the saved registers where the processor's is written below;
// ucontext alone elsewhere. AddressSanitizer is told of every change of stacks.
#include "tests/kernels/cuda/fiber.h"

#include <ucontext.h>

#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#    include <sanitizer/common_interface_defs.h>
#    define ENTERING(fake, bottom, size) __sanitizer_start_switch_fiber(fake, bottom, size)
#    define ENTERED(fake, bottom, size) __sanitizer_finish_switch_fiber(fake, bottom, size)
#else
#    define ENTERING(fake, bottom, size) ((void)0)
#    define ENTERED(fake, bottom, size) ((void)0)
#endif

#if defined(__x86_64__)
// Callee-saved registers to the stack that is left, from the stack that is entered.
extern "C" void meanderSwitchStack(void** left, void* entered);
asm(R"(
.text
.type meanderSwitchStack,@function
meanderSwitchStack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size meanderSwitchStack,.-meanderSwitchStack
)");
#endif

namespace meander::emulator {
namespace {
constexpr std::size_t stackSize = std::size_t(256) << 10;
}

struct Fiber::State {
    std::function<void()> work;
    bool isDone = false;
    char* stack = nullptr;
    void *inside = nullptr, *outside = nullptr;  // saved stack pointers
    ucontext_t insideContext{}, outsideContext{};
    const void* outsideBottom = nullptr;
    std::size_t outsideSize = 0;
    void *insideFake = nullptr, *outsideFake = nullptr;

    static State* starting;

    void run() {
        ENTERED(nullptr, &outsideBottom, &outsideSize);
        work();
        isDone = true;
        ENTERING(nullptr, outsideBottom, outsideSize);
        toOutside();
    }
    static void entry() { starting->run(); }
#if defined(__x86_64__)
    void prepare() {
        void** top = reinterpret_cast<void**>(stack + stackSize) - 2;
        top[1] = nullptr;
        top[0] = reinterpret_cast<void*>(&entry);
        for (int i = 1; i <= 6; ++i) top[-i] = nullptr;
        inside = top - 6;
    }
    void toInside() { meanderSwitchStack(&outside, inside); }
    void toOutside() { meanderSwitchStack(&inside, outside); }
#else
    void prepare() {
        getcontext(&insideContext);
        insideContext.uc_stack.ss_sp = stack;
        insideContext.uc_stack.ss_size = stackSize;
        makecontext(&insideContext, &State::entry, 0);
    }
    void toInside() { swapcontext(&outsideContext, &insideContext); }
    void toOutside() { swapcontext(&insideContext, &outsideContext); }
#endif
};

Fiber::State* Fiber::State::starting = nullptr;

Fiber::Fiber(std::function<void()> work) : m(std::make_unique<State>()) {
    m->work = std::move(work);
    m->stack = static_cast<char*>(std::aligned_alloc(4096, stackSize));
    if (!m->stack) throw std::bad_alloc();
    m->prepare();
}
Fiber::~Fiber() { std::free(m->stack); }

void Fiber::resume() {
    State::starting = m.get();
    ENTERING(&m->outsideFake, m->stack, stackSize);
    m->toInside();
    ENTERED(m->outsideFake, nullptr, nullptr);
}
void Fiber::leave() {
    ENTERING(&m->insideFake, m->outsideBottom, m->outsideSize);
    m->toOutside();
    ENTERED(m->insideFake, &m->outsideBottom, &m->outsideSize);
}
bool Fiber::isDone() const { return m->isDone; }

}  // namespace meander::emulator
