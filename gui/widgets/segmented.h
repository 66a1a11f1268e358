// A row of joined buttons of which one is down.
#pragma once
#include <QButtonGroup>
#include <QToolButton>
#include <QWidget>

namespace meander::gui {

class Segmented : public QWidget {
    Q_OBJECT
public:
    explicit Segmented(const QStringList& texts, const QStringList& tooltips = {}, QWidget* parent = nullptr);
    void setCurrent(int index);
    int current() const { return m_group->checkedId(); }

signals:
    void chosen(int index);

private:
    QButtonGroup* m_group;
};

}  // namespace meander::gui
