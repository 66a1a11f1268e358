// The vector field and density of small models, evaluated in a worker thread; a newer request replaces a waiting one, answers are kept.
#pragma once
#include <QCache>
#include <QObject>

#include "engine/models/field.h"
#include "gui/bridge/latest.h"

namespace meander::gui {

struct FieldRequest {
    std::string model;
    Prompt prompt;
    double tau = 0;
    FieldBounds bounds;
    int columns = 64;
    int dataPoints = 0;
    QString key() const;
};

class FieldService : public QObject {
    Q_OBJECT
public:
    explicit FieldService(QObject* parent = nullptr);
    // The answer when it is known; else asks for it and `ready` follows. Null when not known yet or not possible.
    std::shared_ptr<const FieldGrid> field(const FieldRequest& request);
    QString problem() const { return m_problem; }

signals:
    void ready();

private:
    struct Answer {
        QString key, problem;
        std::shared_ptr<const FieldGrid> grid;
    };
    Latest<Answer> m_work;
    QCache<QString, std::shared_ptr<const FieldGrid>> m_known{160};
    QString m_asked, m_problem;
};

}  // namespace meander::gui
