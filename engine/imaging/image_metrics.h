// How different two images are. Values in [0, 1]; both images of one size.
#pragma once
#include "engine/core/result.h"
#include "engine/imaging/image.h"

namespace meander {

struct ImageMetrics {
    double mse = 0;
    double rms = 0;
    double psnr = 0;     // dB for a peak of 1; ∞ for equal images
    double ssim = 0;     // Wang et al. 2004: Gaussian window of 11, σ 1.5, mean over channels and places
    double largest = 0;  // of all absolute differences
};
Result<ImageMetrics> compareImages(const HostTensor& a, const HostTensor& b, std::int64_t index = 0);

}  // namespace meander
