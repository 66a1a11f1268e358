// The title of a dock: name in small capitals, status text at the right, and buttons to float or close it. Hidden where
// tabs already name the dock.
#pragma once
#include <QDockWidget>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

namespace meander::gui {

class DockTitle : public QWidget {
    Q_OBJECT
public:
    explicit DockTitle(QDockWidget* dock);
    void setRemark(const QString& text, bool isWarning = false);
    void setCollapsed(bool on);
    // Stands between name and remark, and stays where tabs name the dock.
    void setControls(QWidget* controls);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {60, sizeHint().height()}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    QDockWidget* m_dock;
    QLabel *m_name, *m_remark;
    QToolButton *m_float, *m_close;
    QWidget* m_controls = nullptr;
    QHBoxLayout* m_box;
    bool m_collapsed = false;
};

}  // namespace meander::gui
