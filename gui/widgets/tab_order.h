// Keeps the stops of the tab key inside a widget in the order of its layouts, also after rows were built anew.
#pragma once
#include <QWidget>

namespace meander::gui {

class LayoutTabOrder : public QObject {
public:
    explicit LayoutTabOrder(QWidget* content);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void apply();

    QWidget* m_content;
    bool m_isDue = false;
};

}  // namespace meander::gui
