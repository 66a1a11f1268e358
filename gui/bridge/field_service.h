// The vector field and density of small models, evaluated in a worker thread; a newer request replaces a waiting one,
// answers are kept.
#pragma once
#include <QCache>
#include <QObject>
#include <QPointF>

#include "engine/models/vector_field.h"
#include "gui/bridge/latest.h"

namespace meander::gui {

struct FieldRequest {
    std::string model;
    Prompt prompt;
    double tau = 0;
    double signal = 1;  // a(τ) of the model's process
    FieldBounds bounds;
    int columns = 64;
    int dataPoints = 0;  // draws of the training data for a density where none is known in closed form
    QString key() const;
};

// Where a density comes from; views say so.
enum class DensitySource { None, Exact, TrainingData, Particles };

struct VectorField {
    FieldGrid grid;
    DensitySource source = DensitySource::None;
    std::vector<float> density;  // (rows, columns) from the bottom left, relative to its maximum
    int draws = 0;               // points behind a histogram
};

// Relative histogram of points on a grid of `columns` × `rows` cells over the bounds, counted from the bottom left;
// empty when none lies inside.
std::vector<float> densityOf(const std::vector<QPointF>& points, const FieldBounds& bounds, int columns, int rows);

class FieldService : public QObject {
    Q_OBJECT
public:
    explicit FieldService(QObject* parent = nullptr);
    // The answer when it is known; else asks for it and `ready` follows. Null when not known yet or not possible.
    std::shared_ptr<const VectorField> field(const FieldRequest& request);
    QString problem() const { return m_problem; }

signals:
    void ready();

private:
    struct Answer {
        QString key, problem;
        std::shared_ptr<const VectorField> field;
    };
    Latest<Answer> m_work;
    QCache<QString, std::shared_ptr<const VectorField>> m_known{160};
    QString m_asked, m_problem;
};

}  // namespace meander::gui
