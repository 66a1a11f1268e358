#include "gui/bridge/field_service.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace meander::gui {
namespace {

VectorField completed(FieldGrid grid, const FieldRequest& request) {
    VectorField f;
    if (!grid.logDensity.empty()) {
        f.source = DensitySource::Exact;
        const double top = *std::max_element(grid.logDensity.begin(), grid.logDensity.end());
        for (double l : grid.logDensity) f.density.push_back(float(std::exp(l - top)));
    } else if (!grid.dataX.empty() && grid.dimensions == 2) {
        // Draws of the training data, noised as the process noises them: y = a·x0 + τ·ε.
        std::vector<QPointF> points;
        std::mt19937_64 random(7);
        std::normal_distribution<double> normal;
        for (std::size_t i = 0; i < grid.dataX.size(); ++i) {
            const double u = normal(random), v = normal(random);
            points.emplace_back(request.signal * grid.dataX[i] + request.tau * u,
                                request.signal * grid.dataY[i] + request.tau * v);
        }
        f.density = densityOf(points, grid.bounds, grid.columns, grid.rows);
        f.draws = int(points.size());
        if (!f.density.empty()) f.source = DensitySource::TrainingData;
    }
    f.grid = std::move(grid);
    return f;
}

}  // namespace

QString FieldRequest::key() const {
    return QStringLiteral("%1|%2|%3|%4|%5|%6|%7")
        .arg(QString::fromStdString(model), QString::fromStdString(prompt.text))
        .arg(prompt.classIndex.value_or(-1))
        .arg(tau, 0, 'g', 12)
        .arg(bounds.left, 0, 'g', 6)
        .arg(bounds.right, 0, 'g', 6)
        .arg(columns * 100000 + dataPoints);
}

std::vector<float> densityOf(const std::vector<QPointF>& points, const FieldBounds& b, int columns, int rows) {
    std::vector<float> counts(std::size_t(columns) * std::size_t(rows), 0.f);
    float most = 0;
    for (QPointF p : points) {
        const double u = (p.x() - b.left) / (b.right - b.left) * columns,
                     v = (p.y() - b.bottom) / (b.top - b.bottom) * rows;
        if (!(u >= 0 && u < columns && v >= 0 && v < rows)) continue;
        float& c = counts[std::size_t(v) * std::size_t(columns) + std::size_t(u)];
        most = std::max(most, c += 1);
    }
    if (most == 0) return {};
    for (float& c : counts) c /= most;
    return counts;
}

FieldService::FieldService(QObject* parent)
    : QObject(parent), m_work(this, [this](const Answer& a) {
          m_known.insert(a.key, new std::shared_ptr<const VectorField>(a.field));
          m_problem = a.problem;
          emit ready();
      }) {}

std::shared_ptr<const VectorField> FieldService::field(const FieldRequest& request) {
    const QString key = request.key();
    if (auto* known = m_known.object(key)) return *known;
    if (m_asked == key && m_work.isBusy()) return nullptr;
    m_asked = key;
    m_work.request([request, key] {
        Answer a{key, {}, nullptr};
        auto result = evaluateField(request.model, request.prompt, request.tau, request.bounds, request.columns,
                                    request.dataPoints);
        if (result) a.field = std::make_shared<const VectorField>(completed(std::move(*result), request));
        else a.problem = QString::fromStdString(result.error().text);
        return a;
    });
    return nullptr;
}

}  // namespace meander::gui
