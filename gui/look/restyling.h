// Gives every widget another theme or text size in slices between events; windows stand still meanwhile and are painted
// once, at the end. What a new style sheet does by itself blocks for most of a second.
#pragma once
#include <QFont>
#include <QObject>
#include <QPointer>
#include <QTimer>
#include <QWidget>
#include <deque>
#include <optional>
#include <vector>

#include "gui/look/theme.h"

namespace meander::gui {

class Restyling : public QObject {
    Q_OBJECT
public:
    explicit Restyling(QObject* parent = nullptr);
    ~Restyling() override;
    // New widgets have the new appearance at once. `ratio`: of the text sizes, after to before.
    void start(ThemeChoice choice, double fontScale, double ratio);
    void finish();  // without slices
    bool isUnderWay() const { return !m_items.empty(); }

signals:
    void finished();

private:
    struct Item {
        QPointer<QWidget> widget;
        std::optional<QFont> font;
        bool isPolished = false;
        void restyle() const;
    };
    void runSlice(qint64 milliseconds);

    std::deque<Item> m_items;
    std::vector<QPointer<QWidget>> m_still;  // windows that are not painted meanwhile
    QTimer m_next;
};

}  // namespace meander::gui
