#include "gui/look/text.h"

#include <QCoreApplication>
#include <cmath>

namespace meander::gui {

static QString translated(const char* text) { return QCoreApplication::translate("text", text); }

QString qstr(const std::string& s) { return QString::fromStdString(s); }

QString secondsText(double s) {
    if (!std::isfinite(s) || s < 0) return translated("unknown");
    if (s < 0.1) return translated("%1 ms").arg(numberText(s * 1000, 2));
    if (s < 10) return translated("%1 s").arg(QString::number(s, 'f', s < 1 ? 2 : 1));
    if (s < 60) return translated("%1 s").arg(qRound(s));
    if (s < 3600) return translated("%1 min %2 s").arg(int(s) / 60).arg(int(s) % 60);
    return translated("%1 h %2 min").arg(int(s) / 3600).arg(int(s) / 60 % 60);
}

QString bytesText(std::size_t bytes) {
    const double b = double(bytes);
    if (b < 1e3) return translated("%1 B").arg(bytes);
    if (b < 1e6) return translated("%1 kB").arg(qRound(b / 1e3));
    if (b < 1e9)
        return translated("%1 MB").arg(b < 1e7 ? QString::number(b / 1e6, 'f', 1) : QString::number(qRound(b / 1e6)));
    return translated("%1 GB").arg(QString::number(b / 1e9, 'f', 1));
}

QString evaluationsText(int n) { return n == 1 ? translated("1 evaluation") : translated("%1 evaluations").arg(n); }

QString countText(std::int64_t n) {
    if (n < 10'000) return QString::number(n);
    if (n < 1'000'000) return translated("%1 k").arg(QString::number(double(n) / 1e3, 'f', n < 100'000 ? 1 : 0));
    if (n < 1'000'000'000) return translated("%1 M").arg(QString::number(double(n) / 1e6, 'f', 1));
    return translated("%1 G").arg(QString::number(double(n) / 1e9, 'f', 2));
}

QString numberText(double v, int digits) {
    if (std::isinf(v)) return v > 0 ? QStringLiteral("∞") : QStringLiteral("−∞");
    if (std::isnan(v)) return QStringLiteral("–");
    return QString::number(v, 'g', digits);
}

}  // namespace meander::gui
