#include "gui/plots/axis.h"

#include <algorithm>
#include <cmath>

namespace meander::gui {
namespace {
constexpr double tiny = 1e-300;

std::vector<Tick> logTicks(double lo, double hi, double length, double spacing) {
    std::vector<Tick> ticks;
    int first = int(std::floor(std::log10(lo))), last = int(std::ceil(std::log10(hi)));
    double decades = std::max(1e-9, std::log10(hi / lo));
    double perDecade = length / decades;
    int stride = std::max(1, int(std::ceil(spacing / perDecade)));
    for (int e = first; e <= last; ++e)
        for (int m : {1, 2, 5}) {
            double v = m * std::pow(10.0, e);
            if (v < lo * (1 - 1e-9) || v > hi * (1 + 1e-9)) continue;
            bool labelled =
                m == 1 ? (((e % stride) + stride) % stride == 0) : perDecade > 3.4 * spacing || decades < 1.01;
            if (labelled) ticks.push_back({v, formatNumber(v, 1)});
            else if (stride == 1 && m == 1) ticks.push_back({v, {}});
        }
    return ticks;
}
}  // namespace

double Axis::position(double v) const {
    double p;
    if (scale == Scale::Log) {
        if (!(v > 0)) return reversed ? 2 : -1;
        p = std::log(v / std::max(lo, tiny)) / std::log(std::max(hi, tiny) / std::max(lo, tiny));
    } else {
        p = (v - lo) / (hi - lo);
    }
    return reversed ? 1 - p : p;
}

double Axis::value(double p) const {
    if (reversed) p = 1 - p;
    if (scale == Scale::Log) return std::max(lo, tiny) * std::pow(std::max(hi, tiny) / std::max(lo, tiny), p);
    return lo + p * (hi - lo);
}

std::vector<Tick> Axis::ticks(double length, double spacing) const {
    if (!fixedTicks.empty()) return fixedTicks;
    if (length <= 0 || !(hi > lo)) return {};
    if (scale == Scale::Log && lo > 0) {
        auto result = logTicks(lo, hi, length, spacing);
        auto labelled = std::count_if(result.begin(), result.end(), [](const Tick& t) { return !t.label.isEmpty(); });
        if (labelled >= 2) return result;
    }
    double step = niceStep((hi - lo) / std::max(1.0, std::floor(length / spacing)));
    if (wholeNumbers) step = std::max(1.0, std::round(step));
    std::vector<Tick> result;
    for (double k = std::ceil(lo / step - 1e-9); k * step <= hi + step * 1e-9; ++k) {
        double v = std::abs(k) < 0.5 ? 0 : k * step;
        result.push_back({v, formatTick(v, step)});
    }
    return result;
}

void Axis::fit(double from, double to, double margin) {
    if (!std::isfinite(from) || !std::isfinite(to)) {
        from = scale == Scale::Log ? 0.1 : 0;
        to = 1;
    }
    if (to < from) std::swap(from, to);
    if (scale == Scale::Log) {
        from = std::max(from, tiny * 1e10);
        to = std::max(to, from);
        double widen = std::max(std::log(to / from) * margin, to / from < 1.001 ? 0.3 : 0.0);
        lo = from * std::exp(-widen);
        hi = to * std::exp(widen);
        return;
    }
    double widen = (to - from) * margin;
    if (to - from < 1e-12 * std::max(1.0, std::abs(to))) widen = std::max(0.5, std::abs(to) * 0.1);
    lo = from - widen;
    hi = to + widen;
}

double niceStep(double raw) {
    if (!(raw > 0) || !std::isfinite(raw)) return 1;
    double decade = std::pow(10.0, std::floor(std::log10(raw)));
    for (double m : {1.0, 2.0, 5.0})
        if (m * decade >= raw * (1 - 1e-9)) return m * decade;
    return 10 * decade;
}

QString formatNumber(double v, int significant) {
    if (std::isnan(v)) return QStringLiteral("–");
    if (std::isinf(v)) return v > 0 ? QStringLiteral("∞") : QStringLiteral("−∞");
    if (v == 0) return QStringLiteral("0");
    double magnitude = std::abs(v);
    QString text;
    if (magnitude < 1e-3 || magnitude >= 1e5) {
        text = QString::number(v, 'e', std::max(0, significant - 1));
        text.replace(QStringLiteral("e-0"), QStringLiteral("e-"))
            .replace(QStringLiteral("e+0"), QStringLiteral("e"))
            .replace(QStringLiteral("e+"), QStringLiteral("e"));
    } else {
        int decimals = std::max(0, significant - 1 - int(std::floor(std::log10(magnitude) + 1e-12)));
        text = QString::number(v, 'f', decimals);
    }
    return text.contains(QLatin1Char('e')) ? text : text.replace(QLatin1Char('-'), QStringLiteral("−"));
}

QString formatTick(double v, double step) {
    if (v == 0) return QStringLiteral("0");
    if (step < 1e-4 || std::abs(v) >= 1e6) return formatNumber(v, 2);
    int decimals = std::max(0, int(std::ceil(-std::log10(step) - 1e-9)));
    return QString::number(v, 'f', decimals).replace(QLatin1Char('-'), QStringLiteral("−"));
}

}  // namespace meander::gui
