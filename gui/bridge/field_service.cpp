#include "gui/bridge/field_service.h"

namespace meander::gui {

QString FieldRequest::key() const {
    return QStringLiteral("%1|%2|%3|%4|%5|%6|%7").arg(QString::fromStdString(model), QString::fromStdString(prompt.text)).arg(prompt.classIndex.value_or(-1)).arg(tau, 0, 'g', 12).arg(bounds.left, 0, 'g', 6).arg(bounds.right, 0, 'g', 6).arg(columns * 10000 + dataPoints);
}

FieldService::FieldService(QObject* parent)
    : QObject(parent), m_work(this, [this](const Answer& a) {
          m_known.insert(a.key, new std::shared_ptr<const FieldGrid>(a.grid));
          m_problem = a.problem;
          emit ready();
      }) {}

std::shared_ptr<const FieldGrid> FieldService::field(const FieldRequest& request) {
    const QString key = request.key();
    if (auto* known = m_known.object(key)) return *known;
    if (m_asked == key && m_work.isBusy()) return nullptr;
    m_asked = key;
    m_work.request([request, key] {
        Answer a{key, {}, nullptr};
        auto result = evaluateField(request.model, request.prompt, request.tau, request.bounds, request.columns, request.dataPoints);
        if (result) a.grid = std::make_shared<const FieldGrid>(std::move(*result));
        else a.problem = QString::fromStdString(result.error().text);
        return a;
    });
    return nullptr;
}

}  // namespace meander::gui
