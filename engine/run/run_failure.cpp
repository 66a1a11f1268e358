#include "engine/run/run_failure.h"

#include <new>

#include "kernels/api/error.h"

namespace meander {

Error errorOf(const std::exception& e) {
    if (dynamic_cast<const Failure*>(&e) || dynamic_cast<const kernels::DeviceError*>(&e)) return {e.what(), {}};
    if (dynamic_cast<const std::bad_alloc*>(&e))
        return {"There is not enough memory for this. Draw fewer images at a time, or close other programs.", e.what()};
    return {"This recipe meets a fault in the program itself. Choose another sampler or setting, and please report the "
            "recipe.",
            e.what()};
}

}  // namespace meander
