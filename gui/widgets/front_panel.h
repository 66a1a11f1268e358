// A panel that costs nothing behind another tab: its contents are laid out when it first comes to the front, and it
// hears when it does. (Behind a tab a widget still counts as visible in Qt.)
#pragma once
#include <QWidget>

namespace meander::gui {

class FrontPanel : public QWidget {
    Q_OBJECT
public:
    explicit FrontPanel(QWidget* parent = nullptr);
    bool isInFront() const { return m_isInFront; }
    // Before it is in front, to find what can be focused.
    void layOut() {
        m_body->show();
        layingOut();
    }

protected:
    QWidget* body() const { return m_body; }  // holds the contents
    virtual void frontChanged() = 0;
    virtual void layingOut() {}  // contents that are made only in front
    void showEvent(QShowEvent* event) override;

private:
    void setInFront(bool isInFront);

    QWidget* m_body;
    bool m_isInFront = false, m_isFollowed = false;
};

}  // namespace meander::gui
