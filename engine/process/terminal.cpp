#include "engine/process/terminal.h"

#include <cmath>

#include "engine/core/result.h"

namespace meander {

std::vector<double> zeroTerminalSnr(std::vector<double> alphasCumprod, double last) {
    if (alphasCumprod.size() < 2 || !(alphasCumprod.front() > alphasCumprod.back()))
        throw Failure("A schedule whose signal does not fall cannot be rescaled to end without signal.");
    const double first = std::sqrt(alphasCumprod.front()), end = std::sqrt(alphasCumprod.back());
    for (double& a : alphasCumprod) {
        const double root = (std::sqrt(a) - end) * first / (first - end);
        a = root * root;
    }
    alphasCumprod.back() = last;
    return alphasCumprod;
}

Gaussian1 analyticStart(double signal, double tau, double dataMean, double dataVariance) {
    return {signal * dataMean, signal * signal * dataVariance + tau * tau};
}

}  // namespace meander
