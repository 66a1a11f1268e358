#include "gui/document/run_text.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QLocale>
#include <QPainter>
#include <cmath>

#include "engine/guidance/guidance.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"
#include "gui/app/theme.h"
#include "gui/document/document.h"
#include "gui/plots/draw_image.h"

namespace meander::gui {
namespace {

// Points on a line: their histogram.
QImage barsOf(const std::vector<double>& values, int size, const QColor& color) {
    double reach = 1e-9;
    for (double x : values)
        if (std::isfinite(x)) reach = std::max(reach, std::abs(x));
    std::vector<int> counts(17, 0);
    for (double x : values)
        if (std::isfinite(x)) ++counts[std::size_t(std::clamp(int((x / reach / 1.15 + 1) / 2 * 17), 0, 16))];
    const int most = std::max(1, *std::max_element(counts.begin(), counts.end()));
    QImage image(size, size, QImage::Format_ARGB32_Premultiplied);
    image.fill(theme().background);
    QPainter p(&image);
    const double width = size / 17.0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const double height = 0.8 * size * counts[i] / most;
        p.fillRect(QRectF(double(i) * width + 0.5, size * 0.9 - height, width - 1, height), color);
    }
    return image;
}

QImage scatterOf(const HostTensor& points, int size, QColor color) {
    const auto& shape = points.shape();
    if (shape.rank() == 2 && shape[1] == 1) return barsOf(points.toDoubles(), size, color);
    if (shape.rank() != 2) return {};
    const std::vector<double> v = points.toDoubles();
    double reach = 1e-9;
    for (double x : v)
        if (std::isfinite(x)) reach = std::max(reach, std::abs(x));
    QImage image(size, size, QImage::Format_ARGB32_Premultiplied);
    image.fill(theme().background);
    QPainter p(&image);
    p.setRenderHint(QPainter::Antialiasing);
    color.setAlphaF(0.75f);
    p.setPen(Qt::NoPen);
    p.setBrush(color);
    const double scale = 0.45 * size / reach, dot = std::max(0.8, size / 48.0);
    const std::int64_t columns = shape[1];
    for (std::int64_t i = 0; i < std::min<std::int64_t>(shape[0], 2000); ++i)
        p.drawEllipse(QPointF(size / 2.0 + scale * v[std::size_t(i * columns)],
                              size / 2.0 - scale * v[std::size_t(i * columns + 1)]),
                      dot, dot);
    return image;
}

}  // namespace

QString qstr(const std::string& s) { return QString::fromStdString(s); }

QString samplerLabel(const std::string& id) {
    const SamplerInfo* s = findSampler(id);
    return qstr(s ? s->label : id);
}
QString scheduleLabel(const std::string& id) {
    const ScheduleInfo* s = findSchedule(id);
    return qstr(s ? s->label : id);
}
QString guidanceLabel(const std::string& id) {
    const GuidanceRule* g = findGuidance(id);
    return qstr(g ? g->label : id);
}
QString modelLabel(const std::string& id) {
    static const std::vector<CatalogEntry> catalog = builtInModels();
    for (const auto& e : catalog)
        if (e.id == id) return qstr(e.name);
    return qstr(id).section('/', -1).section(':', -1);
}

QString modelIdOf(const QString& path) {
    const QFileInfo info(path);
    const QString suffix = info.suffix().toLower(), absolute = info.absoluteFilePath();
    const bool isModelFolder = info.isDir() && QFileInfo::exists(absolute + QStringLiteral("/model_index.json"));
    const bool isPictureFolder =
        info.isDir() && !isModelFolder && !QDir(absolute).entryList({"*.png"}, QDir::Files).isEmpty();
    return isPictureFolder || suffix == "csv" || suffix == "npy" || suffix == "json"
               ? QStringLiteral("analytic:points?file=") + absolute
               : absolute;
}

QString runTitle(const Run& run) {
    if (!run.name.empty()) return qstr(run.name);
    if (run.recipe.branch) return Document::tr("branch at step %1").arg(run.recipe.branch->step);
    if (!run.recipe.prompt.empty()) return qstr(run.recipe.prompt).simplified();
    if (!run.model.name.empty()) return qstr(run.model.name);
    return modelLabel(run.recipe.model);
}

QString recipeLine(const Recipe& r) {
    return QStringLiteral("%1 · %2 · %3")
        .arg(samplerLabel(r.sampler.id))
        .arg(r.steps)
        .arg(scheduleLabel(r.schedule.id));
}

QString statusWord(RunStatus status) {
    switch (status) {
    case RunStatus::Queued: return Document::tr("waiting");
    case RunStatus::Running: return Document::tr("running");
    case RunStatus::Paused: return Document::tr("paused");
    case RunStatus::Finished: return Document::tr("finished");
    case RunStatus::Cancelled: return Document::tr("cancelled");
    case RunStatus::Failed: return Document::tr("failed");
    case RunStatus::Interrupted: return Document::tr("interrupted");
    }
    return {};
}

QString statusLine(const Run& run) {
    const int done = run.trajectory ? int(run.trajectory->steps.size()) : 0;
    if (run.status == RunStatus::Failed) return Document::tr("failed: %1").arg(qstr(run.problem));
    if (run.status == RunStatus::Cancelled || run.status == RunStatus::Interrupted)
        return done > 0 ? Document::tr("%1 after step %2").arg(statusWord(run.status)).arg(done)
                        : statusWord(run.status);
    return statusWord(run.status);
}

QString secondsText(double s) {
    if (!std::isfinite(s) || s < 0) return Document::tr("unknown");
    if (s < 0.1) return Document::tr("%1 ms").arg(numberText(s * 1000, 2));
    if (s < 10) return Document::tr("%1 s").arg(QString::number(s, 'f', s < 1 ? 2 : 1));
    if (s < 60) return Document::tr("%1 s").arg(qRound(s));
    if (s < 3600) return Document::tr("%1 min %2 s").arg(int(s) / 60).arg(int(s) % 60);
    return Document::tr("%1 h %2 min").arg(int(s) / 3600).arg(int(s) / 60 % 60);
}

QString bytesText(std::size_t bytes) {
    const double b = double(bytes);
    if (b < 1e3) return Document::tr("%1 B").arg(bytes);
    if (b < 1e6) return Document::tr("%1 kB").arg(qRound(b / 1e3));
    if (b < 1e9)
        return Document::tr("%1 MB").arg(b < 1e7 ? QString::number(b / 1e6, 'f', 1) : QString::number(qRound(b / 1e6)));
    return Document::tr("%1 GB").arg(QString::number(b / 1e9, 'f', 1));
}

QString evaluationsText(int n) { return n == 1 ? Document::tr("1 evaluation") : Document::tr("%1 evaluations").arg(n); }

QString countText(std::int64_t n) {
    if (n < 10'000) return QString::number(n);
    if (n < 1'000'000) return Document::tr("%1 k").arg(QString::number(double(n) / 1e3, 'f', n < 100'000 ? 1 : 0));
    if (n < 1'000'000'000) return Document::tr("%1 M").arg(QString::number(double(n) / 1e6, 'f', 1));
    return Document::tr("%1 G").arg(QString::number(double(n) / 1e9, 'f', 2));
}

QString numberText(double v, int digits) {
    if (std::isinf(v)) return v > 0 ? QStringLiteral("∞") : QStringLiteral("−∞");
    if (std::isnan(v)) return QStringLiteral("–");
    return QString::number(v, 'g', digits);
}

QImage pictureOf(const HostTensor& pictures, int index) {
    const auto& s = pictures.shape();
    if (!pictures || s.rank() != 4 || s[3] != 3 || index < 0 || index >= s[0] || pictures.type() != DType::F32)
        return {};
    const int h = int(s[1]), w = int(s[2]);
    const float* from = pictures.floats().data() + std::size_t(index) * std::size_t(h) * std::size_t(w) * 3;
    QImage image(w, h, QImage::Format_RGB888);
    for (int y = 0; y < h; ++y) {
        uchar* line = image.scanLine(y);
        for (int i = 0; i < w * 3; ++i) line[i] = uchar(std::clamp(*from++, 0.f, 1.f) * 255.f + 0.5f);
    }
    return image;
}

QImage runThumbnail(const Run& run, int size, const QColor& color) {
    if (const QImage picture = pictureOf(run.pictures); !picture.isNull()) {
        const QSize whole = picture.size().scaled(size, size, Qt::KeepAspectRatio);
        if (picture.width() < size) return nearestScaled(picture, QRectF(QPointF(), whole), QRect(QPoint(), whole), 1);
        return picture.convertToFormat(QImage::Format_RGB32)
            .scaled(whole, Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
    }
    if (run.model.state == StateKind::Points && run.trajectory && !run.trajectory->empty())
        return scatterOf(run.trajectory->last(), size, color);
    return {};
}

}  // namespace meander::gui
