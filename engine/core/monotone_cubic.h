// The cubic through points that keeps the order of their values: between two points it never leaves their range
// (Fritsch & Carlson 1980, with the weighted harmonic mean of Fritsch & Butland 1984 for the slopes).
#pragma once
#include <vector>

namespace meander {

struct CurvePoint {
    double x = 0, y = 0;
    bool operator==(const CurvePoint&) const = default;
};

class MonotoneCubic {
public:
    // At least one point; x strictly rising.
    explicit MonotoneCubic(std::vector<CurvePoint> points);
    // Constant beyond the first and the last point.
    double at(double x) const;
    const std::vector<CurvePoint>& points() const { return m_points; }

private:
    std::vector<CurvePoint> m_points;
    std::vector<double> m_slopes;
};

// Few points whose cubic comes close to the values y_i at x_i (rising): the two ends, then the value that is furthest
// off, until the largest distance is at most `tolerance` or `most` points are used.
std::vector<CurvePoint> fewPointsThrough(const std::vector<CurvePoint>& values, int most, double tolerance);

}  // namespace meander
