#include "gui/commands/command_palette.h"

#include <QApplication>
#include <QKeyEvent>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>
#include <algorithm>

#include "gui/look/style_sheet.h"
#include "gui/look/theme.h"

namespace meander::gui {
namespace {

enum Role { idRole = Qt::UserRole, menuRole, keysRole, enabledRole };

class CommandDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    QSize sizeHint(const QStyleOptionViewItem& o, const QModelIndex&) const override {
        return {100, o.fontMetrics.height() + 14};
    }
    void paint(QPainter* p, const QStyleOptionViewItem& o, const QModelIndex& index) const override {
        const Theme& t = theme();
        p->save();
        p->setRenderHint(QPainter::Antialiasing);
        if (o.state & QStyle::State_Selected) {
            p->setPen(Qt::NoPen);
            p->setBrush(mixed(t.raised, t.accent, t.dark ? 0.24 : 0.18));
            p->drawRoundedRect(QRectF(o.rect).adjusted(2, 1, -2, -1), 4, 4);
        }
        const QRect r = o.rect.adjusted(12, 0, -12, 0);
        const QString keys = index.data(keysRole).toString(), menu = index.data(menuRole).toString();
        p->setFont(numberFont());
        p->setPen(t.muted);
        p->drawText(r, Qt::AlignRight | Qt::AlignVCenter, keys);
        const int keyWidth = keys.isEmpty() ? 0 : p->fontMetrics().horizontalAdvance(keys) + 16;
        p->setFont(interfaceFont());
        const QString prefix = menu.isEmpty() ? QString() : menu + QStringLiteral("   ");
        p->setPen(t.dim);
        p->drawText(r, Qt::AlignLeft | Qt::AlignVCenter, prefix);
        const QRect textRect = r.adjusted(p->fontMetrics().horizontalAdvance(prefix), 0, -keyWidth, 0);
        p->setPen(index.data(enabledRole).toBool() ? t.text : t.dim);
        p->drawText(
            textRect, Qt::AlignLeft | Qt::AlignVCenter,
            p->fontMetrics().elidedText(index.data(Qt::DisplayRole).toString(), Qt::ElideRight, textRect.width()));
        p->restore();
    }
};

}  // namespace

int matchScore(const QString& query, const QString& text) {
    int score = 1;
    const QStringList words = text.toLower().split(' ', Qt::SkipEmptyParts);
    for (const QString& part : query.toLower().split(' ', Qt::SkipEmptyParts)) {
        int best = 0;
        for (int i = 0; i < words.size(); ++i) {
            if (words[i].startsWith(part)) best = std::max(best, 20 - std::min(i, 8));
            else if (words[i].contains(part)) best = std::max(best, 5);
        }
        if (best == 0) return 0;
        score += best;
    }
    return score;
}

CommandPalette::CommandPalette(CommandRegistry& registry, QWidget* window)
    : QFrame(window, Qt::Popup), m_registry(registry), m_search(new QLineEdit(this)), m_list(new QListWidget(this)) {
    setProperty("card", "true");
    setObjectName("commandPalette");
    m_search->setPlaceholderText(tr("Type a command or a setting"));
    m_search->setAccessibleName(tr("Search commands"));
    m_list->setItemDelegate(new CommandDelegate(m_list));
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setUniformItemSizes(true);
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->setStyleSheet(QStringLiteral("background: transparent;"));
    m_list->setAccessibleName(tr("Commands"));
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(8, 8, 8, 8);
    box->setSpacing(6);
    box->addWidget(m_search);
    box->addWidget(m_list);
    m_search->installEventFilter(this);
    connect(m_search, &QLineEdit::textChanged, this, &CommandPalette::filter);
    connect(m_search, &QLineEdit::returnPressed, this, &CommandPalette::runCurrent);
    connect(m_list, &QListWidget::itemClicked, this, [this] { runCurrent(); });
}

void CommandPalette::popUp() {
    m_registry.refresh();
    m_settings = m_askSettings ? m_askSettings() : std::vector<Command>();
    m_search->clear();
    filter({});
    QWidget* window = parentWidget();
    const int width = std::min(600, window->width() - 40);
    resize(width, height());
    move(window->mapToGlobal(QPoint((window->width() - width) / 2, 64)));
    show();
    m_search->setFocus(Qt::ShortcutFocusReason);
}

void CommandPalette::filter(const QString& query) {
    struct Hit {
        int score;
        const Command* command;
    };
    std::vector<Hit> hits;
    const auto look = [&](const std::vector<Command>& commands) {
        for (const Command& c : commands)
            if (const int score = matchScore(query, c.text + ' ' + c.menu + ' ' + c.tooltip))
                hits.push_back({score + (query.isEmpty() ? 0 : matchScore(query, c.text)), &c});
    };
    look(m_registry.commands());
    if (!query.isEmpty()) look(m_settings);
    std::stable_sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.score > b.score; });
    m_list->clear();
    for (const Hit& h : hits) {
        auto* item = new QListWidgetItem(h.command->text, m_list);
        item->setData(idRole, h.command->id);
        item->setData(menuRole, h.command->menu);
        item->setData(keysRole, m_registry.keyText(h.command->id));
        item->setData(enabledRole, !h.command->isEnabled || h.command->isEnabled());
        item->setToolTip(h.command->tooltip);
    }
    m_list->setCurrentRow(0);
    // As high as what was found.
    const int rows = std::max(1, m_list->count()) * std::max(24, m_list->sizeHintForRow(0));
    m_list->setFixedHeight(std::min({rows + 8, 390, parentWidget()->height() - 150}));
    adjustSize();
    resize(std::min(600, parentWidget()->width() - 40), height());
}

QStringList CommandPalette::shownCommands() const {
    QStringList ids;
    for (int i = 0; i < m_list->count(); ++i) ids.append(m_list->item(i)->data(idRole).toString());
    return ids;
}

void CommandPalette::runCurrent() {
    const QListWidgetItem* item = m_list->currentItem();
    if (!item) return;
    const QString id = item->data(idRole).toString();
    if (!item->data(enabledRole).toBool()) return;
    hide();
    const auto setting =
        std::find_if(m_settings.begin(), m_settings.end(), [&](const Command& c) { return c.id == id; });
    if (setting != m_settings.end()) setting->run();
    else m_registry.trigger(id);
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_search && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        const int rows = m_list->count(), page = 8;
        int row = m_list->currentRow();
        switch (key->key()) {
        case Qt::Key_Down: row = (row + 1) % std::max(1, rows); break;
        case Qt::Key_Up: row = (row + rows - 1) % std::max(1, rows); break;
        case Qt::Key_PageDown: row = std::min(rows - 1, row + page); break;
        case Qt::Key_PageUp: row = std::max(0, row - page); break;
        default: return QFrame::eventFilter(watched, event);
        }
        m_list->setCurrentRow(row);
        return true;
    }
    return QFrame::eventFilter(watched, event);
}

}  // namespace meander::gui
