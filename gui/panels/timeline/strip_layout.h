// Where the frames of the visible runs lie on the film strip. Pure geometry.
#pragma once
#include <QRectF>
#include <optional>
#include <vector>

namespace meander::gui {

struct StripRow {
    std::vector<double> values;     // of the frames on the chosen axis; ±∞ and log of 0 allowed
    std::vector<double> positions;  // filled: 0 … 1
};

// Places all rows on one scale. Values that have no place on the axis (∞, σ = 0 on a log axis) stand one frame's width
// before or after the others.
void layoutStrip(std::vector<StripRow>& rows, bool isLog, bool isFalling);

struct StripGeometry {
    QRectF area;  // thumbnails; positions are centres
    double thumb = 40, gap = 8;
    int rows = 1;

    double x(double position) const { return area.left() + thumb / 2 + position * (area.width() - thumb); }
    QRectF thumbRect(int row, double position) const {
        return {x(position) - thumb / 2, area.top() + row * (thumb + gap), thumb, thumb};
    }
    int rowAt(double y) const;
    std::optional<int> frameAt(const StripRow& row, double pageX) const;
};
// Which frames get an image when they do not all fit: first, last and `keep` always, others evenly between, never two
// that overlap. While frames are still added the others stay where they are.
std::vector<char> visibleFrames(const StripRow& row, const StripGeometry& g, std::optional<int> keep,
                                bool isGrowing = false);

}  // namespace meander::gui
