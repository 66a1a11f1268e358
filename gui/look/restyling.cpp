#include "gui/look/restyling.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QEvent>
#include <QHash>
#include <QStyle>
#include <limits>

namespace meander::gui {
namespace {

constexpr qint64 sliceMs = 12;

// Parents before their children, which inherit fonts and palettes.
std::vector<QPointer<QWidget>> allWidgets() {
    std::vector<QPointer<QWidget>> list;
    for (QWidget* w : QApplication::topLevelWidgets()) list.emplace_back(w);
    for (std::size_t i = 0; i < list.size(); ++i)
        for (QObject* child : list[i]->children())
            if (auto* w = qobject_cast<QWidget*>(child); w && !w->isWindow()) list.emplace_back(w);
    return list;
}

void polish(QWidget& w) {
    if (!w.testAttribute(Qt::WA_WState_Polished)) return;  // when it is first shown
    w.style()->polish(&w);
    QEvent change(QEvent::StyleChange);
    QApplication::sendEvent(&w, &change);
}

}  // namespace

Restyling::Restyling(QObject* parent) : QObject(parent) {
    m_next.setInterval(0);
    connect(&m_next, &QTimer::timeout, this, [this] { runSlice(sliceMs); });
}

Restyling::~Restyling() {
    for (const auto& w : m_still)
        if (w) w->setUpdatesEnabled(true);
}

void Restyling::start(ThemeChoice choice, double fontScale, double ratio) {
    for (QWidget* w : QApplication::topLevelWidgets())
        if (w->isVisible() && w->updatesEnabled()) {
            w->setUpdatesEnabled(false);
            m_still.emplace_back(w);
        }
    // Fonts that were set on a widget do not follow the application's, and a new style sheet overwrites them; without a
    // new sheet the font of the application reaches new widgets only. They are taken before and set after.
    const bool isOtherSheet = changesStyleSheet(choice);
    QHash<const QWidget*, Item> left;  // of a change that is not through
    for (const Item& i : std::exchange(m_items, {}))
        if (i.widget) left.insert(i.widget, i);
    for (const auto& w : allWidgets()) {
        Item item = left.value(w, {w, {}, false});
        if (!item.font && (ratio != 1 || w->testAttribute(Qt::WA_SetFont))) item.font = w->font();
        if (item.font) item.font->setPointSizeF(item.font->pointSizeF() * ratio);
        item.isPolished |= isOtherSheet;
        m_items.push_back(std::move(item));
    }
    // Without what it remembers of widgets, the style finds none to go through: it would polish each once for each of
    // its ancestors.
    if (isOtherSheet) qApp->style()->unpolish(qApp);
    applyTheme(choice, fontScale);
    m_next.start();
}

void Restyling::Item::restyle() const {
    if (!widget) return;
    if (isPolished) polish(*widget);
    if (font) widget->setFont(*font);
}

void Restyling::finish() {
    if (isUnderWay()) runSlice(std::numeric_limits<qint64>::max());
}

void Restyling::runSlice(qint64 milliseconds) {
    QElapsedTimer since;
    since.start();
    while (isUnderWay() && since.elapsed() < milliseconds) {
        const Item item = std::move(m_items.front());
        m_items.pop_front();
        item.restyle();
    }
    if (isUnderWay()) return;
    m_next.stop();
    for (const auto& w : std::exchange(m_still, {}))
        if (w) w->setUpdatesEnabled(true);
    emit finished();
}

}  // namespace meander::gui
