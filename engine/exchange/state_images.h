// Images of recorded states without the model: for codecs that only rearrange pixels (pixel shuffle), whose scale is
// found by comparing the run's last state with its images. Empty for states that need a network to be decoded.
#pragma once
#include "engine/run/trajectory.h"

namespace meander {

class StateImages {
public:
    explicit StateImages(const Run& run);
    bool isPossible() const { return m_factor > 0; }
    // (n, h, w, c) → (n, h · factor, w · factor, 3), not clipped.
    HostTensor operator()(const HostTensor& states) const;

private:
    int m_factor = 0;
    double m_scale = 0.5, m_offset = 0.5;
};

}  // namespace meander
