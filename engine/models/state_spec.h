// What one item of a state is: points, or the cells of an image.
#pragma once
#include "engine/tensor/tensor.h"

namespace meander {

enum class StateKind : std::uint8_t { Points, Image };

struct StateSpec {
    StateKind kind = StateKind::Image;
    Shape shape;              // without the batch: (dimensions …) of points, (h, w, c) of an image
    DType type = DType::F32;  // F64 for exact models
    Shape image;              // of the decoded image, (h, w, 3) in pixels; empty: points, or nothing decodes them
    int granule = 0;          // pixels of which an image's height and width are multiples; 0: the size is fixed

    bool isImage() const { return kind == StateKind::Image; }
    // States of images that a codec, or nothing but a scale, makes visible.
    bool isDecodable() const { return isImage() && image.rank() == 3; }
    // Of an image, in cells.
    int height() const { return int(shape[0]); }
    int width() const { return int(shape[1]); }
    int channels() const { return int(shape[-1]); }
    // Pixels per cell along each side; 1 where nothing is decoded.
    int factor() const { return image.rank() == 3 && shape.rank() == 3 ? int(image[0] / shape[0]) : 1; }
    bool operator==(const StateSpec&) const = default;
};

}  // namespace meander
