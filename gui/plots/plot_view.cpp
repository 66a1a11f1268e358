#include "gui/plots/plot_view.h"

#include <QAbstractTableModel>
#include <QAccessible>
#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QDialog>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QHeaderView>
#include <QMenu>
#include <QMouseEvent>
#include <QPushButton>
#include <QTableView>
#include <QVBoxLayout>

#include "gui/plots/geometry.h"
#include "gui/widgets/focus.h"

namespace meander::gui {

PlotView::PlotView(QWidget* parent) : QWidget(parent) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void PlotView::setPlot(Plot plot) {
    m_plot = std::move(plot);
    m_isStale = true;
    if (!m_plot.title.isEmpty()) setAccessibleName(m_plot.title);  // an empty one keeps the name it was given
    update();
}

void PlotView::setSnapPoints(std::vector<QPointF> snapPoints, QStringList texts, bool byDistance) {
    m_snapPoints = std::move(snapPoints);
    m_texts = std::move(texts);
    m_byDistance = byDistance;
    if (m_snapPoint && *m_snapPoint >= int(m_snapPoints.size())) m_snapPoint.reset();
}

void PlotView::setCursor(std::optional<int> snapPoint, std::vector<CursorLayer::Mark> marks) {
    if (snapPoint && (*snapPoint < 0 || *snapPoint >= int(m_snapPoints.size()))) snapPoint.reset();
    m_snapPoint = snapPoint;
    m_cursor.x = snapPoint ? std::optional(m_snapPoints[std::size_t(*snapPoint)].x()) : std::nullopt;
    m_cursor.line = !m_byDistance;
    m_cursor.marks = std::move(marks);
    m_cursor.text = snapPoint && underMouse() ? m_texts.value(*snapPoint) : QString();
    speak();
    update();
}

void PlotView::setHandles(std::optional<HandleLayer> handles) {
    m_handles = std::move(handles);
    update();
}

void PlotView::setRange(std::optional<std::pair<double, double>> range) {
    if (m_range == range) return;
    m_range = range;
    update();
}

QPointF PlotView::pageOf(QPointF value) const { return PlotFrame{plotArea(), m_plot.x, m_plot.y}.at(value); }

QString PlotView::accessibleText() const {
    return m_snapPoint ? m_texts.value(*m_snapPoint) : m_plot.hasData() ? m_plot.title : m_plot.empty;
}

void PlotView::speak() {
    const QString text = accessibleText();
    if (text == accessibleDescription()) return;
    setAccessibleDescription(text);
    if (hasFocus() && QAccessible::isActive()) {
        QAccessibleEvent event(this, QAccessible::DescriptionChanged);
        QAccessible::updateAccessibility(&event);
    }
}

void PlotView::paintEvent(QPaintEvent*) {
    const qreal ratio = devicePixelRatioF();
    const QSize pixels = size() * ratio;
    if (m_isStale || m_background.size() != pixels) {
        m_background = QPixmap(pixels);
        m_background.setDevicePixelRatio(ratio);
        m_background.fill(Qt::transparent);
        QPainter p(&m_background);
        m_plot.paint(p, frameRect(), theme(), PlotPart::Background);
        m_isStale = false;
    }
    QPainter p(this);
    p.drawPixmap(0, 0, m_background);
    p.setRenderHint(QPainter::Antialiasing);
    m_plot.paint(p, frameRect(), theme(), PlotPart::Overlay);
    PlotFrame frame{plotArea(), m_plot.x, m_plot.y};
    if (m_range && m_plot.hasData()) {
        const double a = std::clamp(frame.px(m_range->first), frame.area.left(), frame.area.right()),
                     b = std::clamp(frame.px(m_range->second), frame.area.left(), frame.area.right());
        QColor fill = theme().accent;
        fill.setAlphaF(theme().dark ? 0.14f : 0.1f);
        p.fillRect(QRectF(QPointF(std::min(a, b), frame.area.top()),
                          QPointF(std::max(std::max(a, b), std::min(a, b) + 1), frame.area.bottom())),
                   fill);
    }
    m_cursor.paint(p, frame, theme());
    if (m_handles) m_handles->paint(p, frame, theme());
    if (hasKeyboardFocus(this)) {
        p.setPen(QPen(theme().accent, 1));
        p.setBrush(Qt::NoBrush);
        p.drawRoundedRect(QRectF(rect()).adjusted(1.5, 1.5, -1.5, -1.5), 4, 4);
    }
}

std::optional<int> PlotView::snapPointAt(QPointF page) const {
    if (m_snapPoints.empty() || !frameRect().contains(page)) return {};
    PlotFrame frame{plotArea(), m_plot.x, m_plot.y};
    std::vector<QPointF> pages;
    std::vector<double> xs;
    for (QPointF s : m_snapPoints) {
        pages.push_back(frame.at(s));
        xs.push_back(frame.px(s.x()));
    }
    return m_byDistance ? nearestPoint(pages, page, 24) : nearestX(xs, page.x());
}

void PlotView::mouseMoveEvent(QMouseEvent* event) {
    PlotFrame frame{plotArea(), m_plot.x, m_plot.y};
    if (m_dragged) {
        QPointF clamped(std::clamp(event->position().x(), frame.area.left(), frame.area.right()),
                        std::clamp(event->position().y(), frame.area.top(), frame.area.bottom()));
        emit handleMoved(*m_dragged, frame.valueAt(clamped));
        return;
    }
    if (m_handles) {
        m_handles->hovered = m_handles->hit(frame, event->position());
        update();
    }
    if (auto snapPoint = snapPointAt(event->position())) emit snapPointHovered(*snapPoint);
    else emit hoverLeft();
}

void PlotView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    if (m_handles) {
        m_dragged = m_handles->hit({plotArea(), m_plot.x, m_plot.y}, event->position());
        m_handles->selected = m_dragged;
        update();
        if (m_dragged) return;
    }
    if (auto snapPoint = snapPointAt(event->position())) emit snapPointClicked(*snapPoint);
}

void PlotView::mouseReleaseEvent(QMouseEvent*) {
    if (auto handle = std::exchange(m_dragged, {})) emit handleReleased(*handle);
}

void PlotView::leaveEvent(QEvent*) {
    m_cursor.text.clear();
    emit hoverLeft();
    update();
}

void PlotView::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy)) return copyImage();
    const int last = int(m_snapPoints.size()) - 1, now = m_snapPoint.value_or(last);
    int next = now;
    switch (event->key()) {
    case Qt::Key_Left: next = now - (event->modifiers() & Qt::ShiftModifier ? 5 : 1); break;
    case Qt::Key_Right: next = now + (event->modifiers() & Qt::ShiftModifier ? 5 : 1); break;
    case Qt::Key_Home: next = 0; break;
    case Qt::Key_End: next = last; break;
    case Qt::Key_T: showTable(); return;
    default: QWidget::keyPressEvent(event); return;
    }
    if (last >= 0) emit snapPointClicked(std::clamp(next, 0, last));
}

void PlotView::contextMenuEvent(QContextMenuEvent* event) {
    QMenu menu(this);
    menu.addAction(tr("Copy as image"), this, &PlotView::copyImage);
    menu.addAction(tr("Show as table…"), this, &PlotView::showTable);
    menu.addSeparator();
    for (auto [text, ending] : {std::pair(tr("Export SVG…"), "svg"), std::pair(tr("Export PDF…"), "pdf"),
                                std::pair(tr("Export CSV…"), "csv")})
        menu.addAction(text, this, [this, e = QString::fromLatin1(ending)] {
            QString path = QFileDialog::getSaveFileName(this, tr("Export plot"), QStringLiteral("plot.") + e,
                                                        e.toUpper() + QStringLiteral(" (*.") + e + QLatin1Char(')'));
            if (!path.isEmpty()) exportTo(path);
        });
    menu.exec(event->globalPos());
}

void PlotView::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange
        || event->type() == QEvent::StyleChange) {
        m_isStale = true;
        update();
    }
    QWidget::changeEvent(event);
}

void PlotView::copyImage() {
    QApplication::clipboard()->setImage(plotImage(m_plot, size(), theme()));
    emit announced(tr("The plot was copied as an image"));
}

bool PlotView::exportTo(const QString& path) {
    const bool isWritten = exportPlot(m_plot, size(), theme(), path);
    emit announced(isWritten ? tr("Exported %1").arg(QFileInfo(path).fileName())
                             : tr("Cannot write '%1'. Choose another folder or free some space.").arg(path));
    return isWritten;
}

void PlotView::showTable() { showTableDialog(this, m_plot.title, m_plot.table()); }

namespace {

class TableModel : public QAbstractTableModel {
public:
    TableModel(Table table, QObject* parent) : QAbstractTableModel(parent), m_table(std::move(table)) {}
    int rowCount(const QModelIndex& parent) const override { return parent.isValid() ? 0 : int(m_table.rows.size()); }
    int columnCount(const QModelIndex& parent) const override {
        return parent.isValid() ? 0 : int(m_table.head.size());
    }
    QVariant data(const QModelIndex& index, int role) const override {
        const QStringList& row = m_table.rows[index.row()];
        return (role == Qt::DisplayRole || role == Qt::ToolTipRole) && index.column() < row.size() ? row[index.column()]
                                                                                                   : QVariant();
    }
    QVariant headerData(int section, Qt::Orientation way, int role) const override {
        return way == Qt::Horizontal && role == Qt::DisplayRole ? QVariant(m_table.head[section]) : QVariant();
    }

private:
    Table m_table;
};

}  // namespace

void showTableDialog(QWidget* parent, const QString& title, const Table& table) {
    auto* dialog = new QDialog(parent);
    dialog->setObjectName("table");
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(title);
    dialog->resize(std::min(980, 200 + 130 * int(table.head.size())), 460);
    auto* view = new QTableView(dialog);
    view->setModel(new TableModel(table, view));
    view->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    view->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    view->verticalHeader()->hide();
    view->setShowGrid(false);
    view->setFont(numberFont(8.8));
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, dialog);
    for (const auto& [label, content] :
         {std::pair(PlotView::tr("Copy as text"), table.text()), std::pair(PlotView::tr("Copy as CSV"), table.csv())})
        QObject::connect(buttons->addButton(label, QDialogButtonBox::ActionRole), &QPushButton::clicked, dialog,
                         [text = content] { QApplication::clipboard()->setText(text); });
    QObject::connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::close);
    auto* box = new QVBoxLayout(dialog);
    box->addWidget(view);
    box->addWidget(buttons);
    dialog->open();
}

}  // namespace meander::gui
