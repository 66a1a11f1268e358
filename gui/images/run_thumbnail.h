// Small images of runs for lists, and the images of tensors.
#pragma once
#include <QColor>
#include <QImage>

#include "engine/run/trajectory.h"

namespace meander::gui {

// Image `image` of (images, h, w, 3) floats in [0, 1]; null when there is none.
QImage imageOf(const HostTensor& images, int image = 0);
// A square image of the run for lists; points are drawn as a scatter in the colour of the run. Null when nothing is
// known.
QImage runThumbnail(const Run& run, int size, const QColor& color);

}  // namespace meander::gui
